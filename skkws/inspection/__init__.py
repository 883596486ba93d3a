"""What a classifier listens to: where a clip speaks for a word, and what excites a dimension of the embedding."""

from skkws.inspection._maps import occlusion_map, saliency_map
from skkws.inspection._stretches import Stretch, exciting_stretches

__all__ = ["Stretch", "exciting_stretches", "occlusion_map", "saliency_map"]
