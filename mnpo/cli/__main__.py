"""``python -m mnpo.cli``, for launchers that start modules (``accelerate launch -m mnpo.cli``)."""

from mnpo.cli import main

if __name__ == "__main__":
    main()
