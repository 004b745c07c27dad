"""`python -m gpudoctor`: the same as the `gpudoctor` command."""

from gpudoctor.cli.main import main

if __name__ == "__main__":
    main()
