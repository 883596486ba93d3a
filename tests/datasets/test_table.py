import re

import pytest
from miniature import wav, write_files, zipped

from skkws import AudioLoader
from skkws.datasets import load_audio_csv, load_esc50

TABLE = "file,label,speaker\na.wav,yes,ann\nb.wav,no,bob\n"


@pytest.fixture
def load(tmp_path):
    write_files(tmp_path, {name: wav(800) for name in ("a.wav", "b.wav", "naïve, or not.wav")})

    def load(table, **options):
        content = table if isinstance(table, bytes) else table.encode()
        (tmp_path / "labels.csv").write_bytes(content)
        return load_audio_csv(tmp_path / "labels.csv", **options)

    return load


def test_a_line_is_a_recording(load, tmp_path):
    data = load(TABLE)
    assert data.filenames.tolist() == [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")]
    assert data.target.tolist() == ["yes", "no"]
    assert data.target_names == ["no", "yes"]
    assert data.groups.tolist() == data.filenames.tolist()
    assert "2 recordings of 2 labels in 2 groups" in data.DESCR
    assert AudioLoader().fit_transform(data.filenames).shape == (2, 16000)


def test_columns_can_have_any_name_and_order(load):
    data = load("who,x,what,path\nann,1,yes,a.wav\n", file_column="path", label_column="what", group_column="who")
    assert (data.target.tolist(), data.groups.tolist()) == (["yes"], ["ann"])


@pytest.mark.parametrize(
    "table",
    [
        '\ufefffile,label\r\n"naïve, or not.wav",yes\r\n',
        'file,label,note\n"naïve, or not.wav",yes,"two\nlines"\n\n',
    ],
)
def test_what_spreadsheets_write_is_read(load, table):
    assert load(table).filenames[0].endswith("naïve, or not.wav")


def test_paths_start_from_the_folder_given(load, tmp_path):
    write_files(tmp_path, {"audio/c.wav": wav(800)})
    data = load(f"file,label\nc.wav,yes\n{tmp_path / 'a.wav'},no\n", folder=tmp_path / "audio")
    assert data.filenames.tolist() == [str(tmp_path / "audio" / "c.wav"), str(tmp_path / "a.wav")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", r"labels\.csv, line 1: must have each of the columns \['file', 'label'\] once, .*; got \[\]\. Pass the"),
        ("file;label\na.wav;yes\n", r"line 1: must have .* got \['file;label'\]\. .* separate them by commas"),
        ("file,label,label\na.wav,a,b\n", r"line 1: must have .* but not so \['label'\]"),
        ("file,label\n", r"labels\.csv: no line after the header\. Add a line per recording"),
        ("file,label\na.wav,yes\na.wav,no\n", r"line 3: 'a\.wav' was in line 2 already\. Remove one"),
        ("file,label\na.wav\n", r"line 2: nothing in the columns \['label'\]\. Fill them"),
        ("file,label\na.wav,yes\n ,no\n", r"line 3: nothing in the columns \['file'\]\. Fill them"),
        (
            "file,label\nnaïve, or not.wav,yes\n",
            r"line 2: more fields than columns\. Put a field with commas in quotes",
        ),
        ('file,label\na.wav,"yes\n', r"line 2: unexpected end of data\. Correct the line"),
        ("file,label\na.wav,yes\nnaïve.wav,no\n".encode("latin-1"), r"line 3: not UTF-8 \(.*\)\. Save the table as UT"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(load, table, message):
    with pytest.raises(ValueError, match=message):
        load(table)


def test_a_missing_file_is_named_with_its_line(load):
    with pytest.raises(FileNotFoundError, match=r"labels\.csv, line 3: no file .*c\.wav\. Correct the line, or pass f"):
        load("file,label\na.wav,yes\nc.wav,no\n")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.csv: no such table\. Check the path"):
        load_audio_csv(tmp_path / "gone.csv")


# ESC-50

ESC50 = {
    "meta/esc50.csv": b"filename,fold,target,category,esc10,src_file,take\n"
    b"1-100032-A-0.wav,1,0,dog,True,100032,A\n5-9032-A-0.wav,5,0,dog,True,9032,A\n1-1-A-14.wav,1,14,rain,False,1,A\n",
    "audio/1-100032-A-0.wav": wav(800),
    "audio/5-9032-A-0.wav": wav(800),
    "audio/1-1-A-14.wav": wav(800),
}


def test_esc50_has_its_folds_as_groups(tmp_path):
    data = load_esc50(write_files(tmp_path, ESC50))
    assert data.target.tolist() == ["dog", "dog", "rain"]
    assert data.groups.tolist() == ["1", "5", "1"]
    assert AudioLoader().fit_transform(data.filenames).shape == (3, 16000)


def test_esc50_can_stay_in_its_archive(tmp_path):
    archive = tmp_path / "ESC-50-master.zip"
    archive.write_bytes(zipped({f"ESC-50-master/{name}": content for name, content in ESC50.items()}))
    data = load_esc50(archive, data_home=tmp_path / "home", verbose=0)
    assert re.search(r"home.ESC-50-master-[0-9a-f]{12}.ESC-50-master.audio.1-100032-A-0\.wav$", data.filenames[0])


def test_another_folder_is_not_esc50(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no meta/esc50\.csv\. Pass the folder or the archive of ESC-50"):
        load_esc50(tmp_path)
