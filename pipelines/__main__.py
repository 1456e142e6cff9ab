"""`python -m pipelines` is `plimsoll`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
