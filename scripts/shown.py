"""Text that somebody else wrote, made fit to be shown: nothing in it can move a cursor, clear a screen or turn its order around."""


def shown(text):
    """Control and format characters, line breaks and bytes that are no UTF-8 as `\\x1b`, `\\u202e` or `\\xe9`; the rest as it is."""
    return text if text.isprintable() else "".join(c if c.isprintable() else escaped(c) for c in text)


def escaped(character):
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # what os.fsdecode makes of a byte that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(document, text=shown):
    """A JSON or TOML document whose every string and key has gone through `text`."""
    if isinstance(document, str):
        return text(document)
    if isinstance(document, dict):
        return {text(key): clean(value, text) for key, value in document.items()}
    if isinstance(document, list):
        return [clean(value, text) for value in document]
    return document
