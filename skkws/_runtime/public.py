"""Names by which others know a class or a function."""

import sys


def public_module(thing):
    """Return the module that offers a class or function: the package of a private module, if that has it too.

    What is written to files names this one, so that private modules can be moved.

    Parameters
    ----------
    thing : class or function

    Returns
    -------
    module : str

    Examples
    --------
    >>> from skkws import MFCCTransformer
    >>> from skkws._runtime.public import public_module
    >>> MFCCTransformer.__module__, public_module(MFCCTransformer)
    ('skkws.features._mfcc', 'skkws.features')
    """
    package = thing.__module__.partition("._")[0]
    offered = getattr(sys.modules.get(package), thing.__qualname__, None)
    return package if offered is thing else thing.__module__
