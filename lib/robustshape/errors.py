"""The errors a person can cause; each says what was given, what is allowed, and what to do next.

Every one of them ends the command line with exit code 2 and its message alone, without a traceback.
"""


class RobustshapeError(Exception):
    """Base of all errors that are not a fault of this library."""


class InputError(RobustshapeError, ValueError):
    """A value that cannot be used: a wrong shape, type, range, or a name that does not exist."""


class StoreError(RobustshapeError, OSError):
    """A file or folder that cannot be written, is damaged, or is not what its name says."""


class DamagedError(StoreError):
    """A file or folder that is not as it was written; one that cannot be read may be whole, and is none."""


class ReadOnlyError(StoreError):
    """A place where nothing may be written; what is finished there can still be read."""


class DownloadError(StoreError):
    """A download that failed, was cut short, or did not have the expected checksum."""


class MissingFileError(StoreError):
    """Data or weights that are neither on this machine nor allowed to be downloaded now."""


class NotebookError(RobustshapeError):
    """A cell of a notebook that failed by an error that is none of these."""


class TrainingError(RobustshapeError):
    """A training whose loss is no longer a finite number."""
