class MelleaSession:
    def __init__(self, *args, **kwargs): ...

    def __getattr__(self, name):
        return lambda *args, **kwargs: None

    def __enter__(self):
        return self

    def __exit__(self, *args): ...


def start_session(*args, **kwargs):
    return MelleaSession()
