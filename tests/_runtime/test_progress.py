"""Progress is shown on the standard error stream, in notebooks too."""

import builtins

import pytest

from skkws._runtime.progress import progress


class ZMQInteractiveShell:
    """What Jupyter's `get_ipython` returns, by its name."""


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(builtins, "get_ipython", ZMQInteractiveShell, raising=False)
    monkeypatch.setattr("skkws._runtime.progress.is_installed", lambda package: package != "ipywidgets")


def test_a_notebook_without_widgets_shows_a_line(notebook, capsys):
    with progress("Fitting", 3) as advance:
        for i in range(3):
            advance(f"fit {i}")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("\rFitting 0/3")
    assert err.endswith("\rFitting 3/3 fit 2\n")


def test_the_line_is_ended_by_an_error(notebook, capsys):
    def fail():
        with progress("Fitting", None) as advance:
            advance("first", 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert capsys.readouterr().err.endswith("\n")


@pytest.mark.parametrize("total", [4, None])
def test_silence_where_none_is_asked_for(total, capsys):
    with progress("Fitting", total, verbose=0) as advance:
        advance("note", 2)
    assert capsys.readouterr() == ("", "")
