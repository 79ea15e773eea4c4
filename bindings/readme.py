#!/usr/bin/env python3
"""Prints the code blocks of one language of a README, one after the other: `readme.py README.md python`."""

import re
import sys


def main() -> None:
    path, language = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        blocks = re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", f.read(), re.MULTILINE | re.DOTALL)
    if not blocks:
        sys.exit(f"{path} has no {language} block")
    print("\n".join(blocks))


main()
