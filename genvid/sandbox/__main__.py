"""The command line of the sandbox, without Django."""

import argparse

from genvid.sandbox.server import add_arguments, options_from, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="A local stand-in for HeyGen's v3 API and for Stripe.")
    add_arguments(parser)
    serve(options_from(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
