"""The application that commands register with."""

import cyclopts

from robustshape import __version__

app = cyclopts.App(
    name="robustshape",
    version=__version__,
    help="What does the shape of a classifier's clean feature space say about how it will fail?",
    help_epilogue="Help on a command, with examples: robustshape COMMAND --help",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` has words for it
)


def command(*examples: str, **more):
    """Register a function as a command, with examples at the end of its help."""
    shown = "\n".join(["Examples:", *(f"  robustshape {example}" for example in examples)])
    return app.command(help_epilogue=shown, **more)
