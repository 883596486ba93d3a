import io

import pytest
import soundfile as sf


@pytest.fixture
def decoded(monkeypatch):
    """Content of each recording that is decoded from now on."""
    contents = []

    class Watched(sf.SoundFile):
        def __init__(self, file, *args, **kwargs):
            if isinstance(file, io.BytesIO):
                contents.append(file.getvalue())
            super().__init__(file, *args, **kwargs)

    monkeypatch.setattr(sf, "SoundFile", Watched)
    return contents
