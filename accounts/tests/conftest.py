from videos.tests.conftest import woken

__all__ = ["woken"]
