from . import model_ids
