import pytest
from miniature import wav, write_files, zipped

from skkws import AudioLoader
from skkws.audio import AudioError
from skkws.datasets import load_crema_d, load_gtzan, load_irmas

CREMA_D = {f"AudioWAV/{name}.wav": wav(800) for name in ("1001_DFA_ANG_XX", "1001_IEO_HAP_HI", "1002_IEO_NEU_XX")} | {
    "AudioWAV/1040_ITH_SAD_X.wav": wav(800),
    "README.md": b"CREMA-D",
}
GTZAN = {f"{genre}/{genre}.0000{n}.wav": wav(800) for genre in ("blues", "jazz") for n in range(2)}
IRMAS = {
    f"IRMAS-TrainingData/{name}.wav": wav(800)
    for name in (
        "cel/[cel][cla]0001__1",
        "cel/[cel][cla]0001__2",
        "cel/008__[cel][nod][cla]0058__1",
        "gac/[gac][cou_fol]0563__3",
    )
}


def test_crema_d_tells_emotion_actor_sentence_and_level(tmp_path):
    data = load_crema_d(write_files(tmp_path, CREMA_D))
    assert data.target.tolist() == ["anger", "happy", "neutral", "sad"]
    assert data.groups.tolist() == ["1001", "1001", "1002", "1040"]
    assert data.sentence.tolist() == ["DFA", "IEO", "IEO", "ITH"]
    assert data.level.tolist() == ["unspecified", "high", "unspecified", "unspecified"]
    assert "4 recordings of 4 emotions by 3 actors" in data.DESCR
    assert AudioLoader().fit_transform(data.filenames).shape == (4, 16000)
    assert load_crema_d(tmp_path / "AudioWAV").filenames.tolist() == data.filenames.tolist()


def test_crema_d_can_stay_in_its_archive(tmp_path):
    archive = tmp_path / "CREMA-D-master.zip"
    archive.write_bytes(zipped({f"CREMA-D-master/{name}": content for name, content in CREMA_D.items()}))
    assert len(load_crema_d(archive, data_home=tmp_path / "home", verbose=0).filenames) == 4


def test_other_names_are_not_crema_d(tmp_path):
    write_files(tmp_path, {"AudioWAV/1001_DFA_JOY_XX.wav": b""})
    with pytest.raises(ValueError, match=r"1001_DFA_JOY_XX\.wav: not a name of CREMA-D such as .* use load_audio_csv"):
        load_crema_d(tmp_path)
    with pytest.raises(ValueError, match=r"no WAV file\. Pass the folder or the archive that holds AudioWAV"):
        load_crema_d(write_files(tmp_path / "empty", {"README.md": b""}))


@pytest.mark.parametrize("folder", ["genres_original/", "Data/genres_original/", "genres/", ""])
def test_gtzan_has_a_folder_per_genre(tmp_path, folder):
    data = load_gtzan(write_files(tmp_path, {f"{folder}{name}": content for name, content in GTZAN.items()}))
    assert data.target.tolist() == ["blues", "blues", "jazz", "jazz"]
    assert data.groups.tolist() == ["blues.00000", "blues.00001", "jazz.00000", "jazz.00001"]
    assert "4 recordings of 2 genres in 4 groups" in data.DESCR


def test_the_corrupt_recording_of_gtzan_is_named_by_the_loader(tmp_path):
    files = {f"genres_original/{name}": content for name, content in GTZAN.items()}
    data = load_gtzan(write_files(tmp_path, files | {"genres_original/jazz/jazz.00054.wav": b"not audio" * 100}))
    assert len(data.filenames) == 5
    with pytest.raises(AudioError, match=r"jazz\.00054\.wav"):
        AudioLoader().fit_transform(data.filenames)


def test_excerpts_of_one_recording_of_irmas_stay_together(tmp_path):
    data = load_irmas(write_files(tmp_path, IRMAS))
    assert data.target.tolist() == ["cel", "cel", "cel", "gac"]
    assert dict(zip(data.groups, data.target, strict=True)) == {"0058": "cel", "0001": "cel", "0563": "gac"}
    assert data.groups.tolist().count("0001") == 2
    assert load_irmas(tmp_path / "IRMAS-TrainingData").groups.tolist() == data.groups.tolist()


def test_other_names_are_not_irmas(tmp_path):
    with pytest.raises(ValueError, match=r"ann\.wav: the name does not match group="):
        load_irmas(write_files(tmp_path, {"cel/ann.wav": b""}))


@pytest.mark.parametrize("load", [load_crema_d, load_gtzan, load_irmas])
def test_a_path_that_is_not_there_is_named(tmp_path, load):
    with pytest.raises(FileNotFoundError, match=r"gone: no such folder or archive\. Check the path"):
        load(tmp_path / "gone")
