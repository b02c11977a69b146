"""Hide faces and licence plates in video archives too large for one machine."""

__version__ = "0.1.0"
