"""Recognition of unreadable image files by their first bytes, with advice for each."""

from __future__ import annotations

_SAVE = "Open it in the program that made it and export it as PNG."
_DEVELOP = "Develop it with a raw converter and export it as PNG."
_FRAME = "Export a single frame of it as PNG."

_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\x0a", "a JPEG XL image", "Convert it to PNG."),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL image", "Convert it to PNG."),
    (b"v/1\x01", "an OpenEXR image (high dynamic range)", "Tone-map it and export it as PNG."),
    (b"#?RADIANCE", "a Radiance HDR image", "Tone-map it and export it as PNG."),
    (b"#?RGBE", "a Radiance HDR image", "Tone-map it and export it as PNG."),
    (b"8BPS", "a Photoshop document (PSD)", _SAVE),
    (b"gimp xcf", "a GIMP document (XCF)", _SAVE),
    (b"DDS ", "a DirectDraw texture (DDS)", "Convert it to PNG."),
    (b"BPG\xfb", "a BPG image", "Convert it to PNG."),
    (b"II\xbc\x01", "a JPEG XR image", "Convert it to PNG."),
    (b"SIMPLE  =", "a FITS image", "Scale its values to 8 or 16 bit and export it as PNG."),
    (b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)", _DEVELOP),
    (b"IIRO", "a camera's raw file (ORF)", _DEVELOP),
    (b"IIRS", "a camera's raw file (ORF)", _DEVELOP),
    (b"IIU\0", "a camera's raw file (RW2)", _DEVELOP),
    (b"FOVb", "a camera's raw file (X3F)", _DEVELOP),
    (b"\x93NUMPY", "a NumPy array", "Load it in a script and give it to engine.images.from_array, or save it as PNG."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Export the image in it as PNG."),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)", _FRAME),
    (b"\x00\x00\x01\xba", "a video (MPEG)", _FRAME),
    (b"FLV", "a video (Flash)", _FRAME),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch it with “git lfs pull”."),
    (b"PK\x03\x04", "a ZIP archive or an office document", "Unpack it and choose an image in it."),
    (b"Rar!", "a RAR archive", "Unpack it and choose an image in it."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and choose an image in it."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and choose an image in it."),
    (b"\x01\x00\x00\x00", "a Windows metafile (EMF)", _SAVE),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)", _SAVE),
)
"""Triples of first bytes, the kind of the file, and advice."""
_BRANDS: dict[bytes, tuple[str, str]] = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        ("a HEIC image, as iPhones write it", "Export it as JPEG or PNG; on the phone, Settings, Camera, Formats, Most Compatible."),
    ),
    **dict.fromkeys((b"avif", b"avis"), ("an AVIF image, which this Pillow cannot read", "Convert it to PNG.")),
    b"crx ": ("a camera's raw file (CR3)", _DEVELOP),
    b"jxl ": ("a JPEG XL image", "Convert it to PNG."),
}
"""Brand of an ISO base media file, to its kind and advice; every other brand is a video."""
_OTHER = "Choose another file, or save it again as PNG."


def recognised(data: bytes) -> tuple[str, str]:
    """Recognise unreadable bytes: the end of a sentence “it is ...”, and advice."""
    for start, what, cure in _STARTS:
        if data.startswith(start):
            return what, cure
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], ("a video (MP4 or MOV)", _FRAME))
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return "a video (AVI)", _FRAME
    if data[128:132] == b"DICM":
        return "a DICOM file", "Export it as PNG from its viewer."
    if data[:4] in (b"II*\0", b"MM\0*"):
        if data[8:10] == b"CR":
            return "a camera's raw file (CR2)", _DEVELOP
        return "a TIFF of a kind that is not supported (colour as floats, say), or a camera's raw file (DNG, NEF, ARW)", _SAVE
    return _text(data)


def _text(data: bytes) -> tuple[str, str]:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "a vector drawing (SVG)", "Export it as PNG at the size that you need."
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page (HTML)", "Save the image itself, not the page."
    if head.startswith((b"%pdf", b"%!ps")):
        return "a document (PDF or PostScript)", "Export the page as PNG."
    if b"\0" not in data[:2048]:
        try:
            data[:2048].decode()
        except UnicodeDecodeError as error:
            if error.start < 2044:  # the slice may cut a character of a text in two
                return "", _OTHER
        return "text", _OTHER
    return "", _OTHER
