"""`python -m groundup`"""

from .cli import main

main()
