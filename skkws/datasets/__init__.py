"""Recordings as scikit-learn data: folders, tables and public corpora."""

from skkws.datasets._corpora import load_crema_d, load_gtzan, load_irmas
from skkws.datasets._data_home import clear_data_home, get_data_home
from skkws.datasets._folder import load_keyword_folder, speaker_function
from skkws.datasets._speech_commands import fetch_speech_commands, speech_commands_split
from skkws.datasets._table import load_audio_csv, load_esc50

__all__ = [
    "clear_data_home",
    "fetch_speech_commands",
    "get_data_home",
    "load_audio_csv",
    "load_crema_d",
    "load_esc50",
    "load_gtzan",
    "load_irmas",
    "load_keyword_folder",
    "speaker_function",
    "speech_commands_split",
]
