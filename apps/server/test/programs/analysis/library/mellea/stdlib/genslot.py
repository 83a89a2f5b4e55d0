from .components.genstub import generative
