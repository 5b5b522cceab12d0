"""Recognition of unreadable image files by their first bytes, with advice for each."""

from __future__ import annotations

import contextlib
import zlib

_SAVE = "Open it in the program that made it and export it as PNG."
_DEVELOP = "Develop it with a raw converter and export it as PNG."
_FRAME = "Export a single frame of it as PNG."
_CONVERT = "Convert it to PNG."
_UNPACK = "Unpack it and choose an image in it."
_VECTOR = ("a vector drawing (SVG)", "Export it as PNG at the size that you need.")

_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\x0a", "a JPEG XL image", _CONVERT),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL image", _CONVERT),
    (b"v/1\x01", "an OpenEXR image (high dynamic range)", "Tone-map it and export it as PNG."),
    (b"#?RADIANCE", "a Radiance HDR image", "Tone-map it and export it as PNG."),
    (b"#?RGBE", "a Radiance HDR image", "Tone-map it and export it as PNG."),
    (b"8BPS", "a Photoshop document (PSD)", _SAVE),
    (b"gimp xcf", "a GIMP document (XCF)", _SAVE),
    (b"DDS ", "a DirectDraw texture (DDS)", _CONVERT),
    (b"BPG\xfb", "a BPG image", _CONVERT),
    (b"II\xbc\x01", "a JPEG XR image", _CONVERT),
    (b"SIMPLE  =", "a FITS image", "Scale its values to 8 or 16 bit and export it as PNG."),
    (b"FUJIFILMCCD-RAW", "a camera's raw file (RAF)", _DEVELOP),
    (b"IIRO", "a camera's raw file (ORF)", _DEVELOP),
    (b"IIRS", "a camera's raw file (ORF)", _DEVELOP),
    (b"IIU\0", "a camera's raw file (RW2)", _DEVELOP),
    (b"FOVb", "a camera's raw file (X3F)", _DEVELOP),
    (b"\0MRM", "a camera's raw file (MRW)", _DEVELOP),
    (b"\xff\xd8\xff\xf7", "a JPEG-LS image", _CONVERT),
    (b"AT&TFORM", "a DjVu document", "Export the page as PNG."),
    (b"\xc5\xd0\xd3\xc6", "an EPS drawing", "Export it as PNG at the size that you need."),
    (b"icns", "an icon of macOS (ICNS)", _CONVERT),
    (b"\x01\xda", "an SGI image", _CONVERT),
    (b"\x0a\x05\x01", "a PCX image", _CONVERT),
    (b"\xabKTX ", "a texture (KTX)", _CONVERT),
    (b"MATLAB 5.0", "a MATLAB file", "Export the image in it as PNG."),
    (b"\x93NUMPY", "a NumPy array", "Load it in a script and give it to engine.images.from_array, or save it as PNG."),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Export the image in it as PNG."),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)", _FRAME),
    (b"\x00\x00\x01\xba", "a video (MPEG)", _FRAME),
    (b"FLV", "a video (Flash)", _FRAME),
    (b"0&\xb2u\x8ef\xcf\x11", "a video (WMV)", _FRAME),
    (b"OggS", "a video or a sound (Ogg)", _FRAME),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch it with “git lfs pull”."),
    (b"PK\x03\x04", "a ZIP archive or an office document", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"\xfd7zXZ\0", "an XZ archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x89PNG", "a PNG image, but a damaged one", "Fetch it again, in binary mode."),
    (b"\xff\xd8\xff", "a JPEG image, but a damaged one", "Fetch it again."),
    (b"GIF8", "a GIF image, but a damaged one", "Fetch it again."),
    (b"qoif", "a QOI image, but a damaged one", "Fetch it again."),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)", _SAVE),
)
"""Triples of first bytes, the kind of the file, and advice."""
_BRANDS: dict[bytes, tuple[str, str]] = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
        ("a HEIC image, as iPhones write it", "Export it as JPEG or PNG; on the phone, Settings, Camera, Formats, Most Compatible."),
    ),
    b"crx ": ("a camera's raw file (CR3)", _DEVELOP),
    b"jxl ": ("a JPEG XL image", _CONVERT),
}
"""Brand of an ISO base media file, to its kind and advice; every other brand is a video."""
_BOXES = frozenset({b"moov", b"mdat", b"wide", b"pnot", b"skip"})
"""First boxes of QuickTime videos from before the brands."""
_OTHER = "Choose another file, or save it again as PNG."


def recognised(data: bytes) -> tuple[str, str]:
    """Recognise unreadable bytes: the end of a sentence “it is ...”, and advice."""
    inside = _packed(data)
    if inside is not None:
        return inside
    for start, what, cure in _STARTS:
        if data.startswith(start):
            return what, cure
    if data[4:8] == b"ftyp":
        return _branded(data)
    if data[4:8] in _BOXES or (data[:1] == data[188:189] == data[376:377] == b"G"):
        return "a video (MOV or MPEG)", _FRAME
    if data[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return "a video (AVI)", _FRAME
    if data[:4] == b"\x01\0\0\0" and data[40:44] == b" EMF":
        return "a Windows metafile (EMF)", _SAVE
    if data[128:132] == b"DICM":
        return "a DICOM file", "Export it as PNG from its viewer."
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        if data[8:10] == b"CR":
            return "a camera's raw file (CR2)", _DEVELOP
        return "a TIFF of a kind that is not supported (colour as floats, say), or a camera's raw file (DNG, NEF, ARW)", _SAVE
    return _text(data)


def _branded(data: bytes) -> tuple[str, str]:
    """Tell an ISO base media file by its own brand, or by one that it is compatible with where its own says only “image”."""
    major, size = data[8:12], int.from_bytes(data[:4], "big")
    compatible = {data[at : at + 4] for at in range(16, min(size, 256), 4)}
    if major in (b"avif", b"avis") or (major in (b"mif1", b"msf1") and {b"avif", b"avis"} & compatible):
        return _avif()
    return _BRANDS.get(major, ("a video (MP4 or MOV)", _FRAME))


def _avif() -> tuple[str, str]:
    from PIL import features

    if features.check("avif"):
        return "an AVIF image, but a damaged one", "Fetch it again."
    return "an AVIF image, which the Pillow of this machine cannot read", _CONVERT


def _packed(data: bytes) -> tuple[str, str] | None:
    """Tell a packed drawing or a packed array by what is inside."""
    if data.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            if b"<svg" in zlib.decompressobj(31).decompress(data[:4096], 4096).lower():
                return _VECTOR
    if data.startswith(b"PK\x03\x04") and b".npy" in data[30:300]:
        return "an archive of NumPy arrays", "Load one in a script and give it to engine.images.from_array, or save it as PNG."
    return None


def _text(data: bytes) -> tuple[str, str]:
    data = _in_one_byte(data[:4096])
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return _VECTOR
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


def _in_one_byte(data: bytes) -> bytes:
    """Turn a text of two bytes a letter, which begins with a mark of their order, into UTF-8."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data
    try:
        return data[: len(data) // 2 * 2].decode("utf-16").encode()
    except UnicodeError:
        return data
