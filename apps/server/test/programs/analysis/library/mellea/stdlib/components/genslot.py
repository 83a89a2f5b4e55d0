from .genstub import *
