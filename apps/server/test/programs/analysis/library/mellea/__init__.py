"""Stands in for the library where only the definition of slots matters: same names, same refusals, no model."""

from . import serve
from .backends import model_ids
from .stdlib import functional as mfuncs
from .stdlib.components import mify
from .stdlib.components.genstub import generative
from .stdlib.requirements import check, req
from .stdlib.sampling import RejectionSamplingStrategy
from .stdlib.session import MelleaSession, start_session

__all__ = ["MelleaSession", "RejectionSamplingStrategy", "check", "generative", "mfuncs", "mify", "model_ids", "req", "serve", "start_session"]
