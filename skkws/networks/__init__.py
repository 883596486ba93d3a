"""Networks of the field, each a function that returns a ``keras.Model``."""

from skkws.networks._autoencoder import autoencoder, decoder, encoder
from skkws.networks._cnn import cnn, cnn1d
from skkws.networks._ds_cnn import ds_cnn
from skkws.networks._embedding_head import embedding_head
from skkws.networks._keyword_groups import embedding_weights, keyword_groups
from skkws.networks._keyword_head import flat_head, keyword_head
from skkws.networks._keyword_net import keyword_net
from skkws.networks._light_cnn import light_cnn
from skkws.networks._mlp import mlp
from skkws.networks._recurrent import crnn, gru, lstm, rnn
from skkws.networks._speech_embedding import speech_embedding
from skkws.networks._tc_resnet import tc_resnet
from skkws.networks._unet import unet
from skkws.networks._wavception import wavception

__all__ = [
    "autoencoder",
    "cnn",
    "cnn1d",
    "crnn",
    "decoder",
    "ds_cnn",
    "embedding_head",
    "embedding_weights",
    "encoder",
    "flat_head",
    "gru",
    "keyword_groups",
    "keyword_head",
    "keyword_net",
    "light_cnn",
    "lstm",
    "mlp",
    "rnn",
    "speech_embedding",
    "tc_resnet",
    "unet",
    "wavception",
]
