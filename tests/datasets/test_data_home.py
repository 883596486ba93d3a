from pathlib import Path

from skkws.datasets import clear_data_home, get_data_home


def test_the_argument_goes_before_the_environment_and_the_environment_before_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("SKKWS_DATA", raising=False)
    assert get_data_home() == str(tmp_path / "home" / "skkws_data")
    monkeypatch.setenv("SKKWS_DATA", "~/elsewhere")
    assert get_data_home() == str(tmp_path / "home" / "elsewhere")
    assert get_data_home(tmp_path / "here") == str(tmp_path / "here")
    assert Path(get_data_home()).is_dir()


def test_clearing_deletes_the_folder_and_nothing_beside_it(tmp_path):
    home = Path(get_data_home(tmp_path / "data"))
    (home / "corpus").mkdir()
    (home / "corpus" / "a.wav").touch()
    (tmp_path / "mine.wav").touch()
    clear_data_home(home)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.wav"]
