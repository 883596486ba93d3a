"""A list that may change while rows are computed."""

from collections import UserList


class Tally(UserList):
    """What nobody can pickle is no part of what rows depend on."""

    def __reduce_ex__(self, protocol):
        raise TypeError
