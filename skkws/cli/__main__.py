"""``python -m skkws.cli``."""

from skkws.cli import main

if __name__ == "__main__":
    main()
