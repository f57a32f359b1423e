"""How different two pictures look, in units of CIE Lab."""

import numpy as np

from densecolor.errors import ImageError


def delta_e76(lab_true, lab_pred):
    """Mean colour difference of 1976: the distance in Lab, sqrt(dL^2 + da^2 + db^2), averaged over the pixels.

    Args:
        lab_true: CIE Lab, float (..., 3).
        lab_pred: CIE Lab, float (..., 3).

    Returns:
        float, from 0 (equal); about 2.3 is just noticed. Lower is better.

    Raises:
        ImageError: shapes that differ or do not end in 3, no pixels, or values that are not finite.

    Source:
        CIE 1976 (ISO/CIE 11664-4); the value of `skimage.color.deltaE_cie76`.

    Example:
        >>> delta_e76([[50.0, 3.0, 0.0]], [[50.0, 0.0, 4.0]])
        5.0
    """
    lab_true, lab_pred = _checked(lab_true, lab_pred)
    squares = np.square(lab_true - lab_pred).sum(axis=-1)
    return float(np.sqrt(squares).mean(dtype=np.float64))


def ciede2000(lab_true, lab_pred):
    """Mean colour difference CIEDE2000 (kL = kC = kH = 1) over the pixels.

    Corrects the distance in Lab for how differently people see lightness, chroma and hue: differences of vivid
    colours weigh less, those of grays and blues are set right. Float32 arithmetic, to 1e-3 of scikit-image's.

    Arguments and errors as in `delta_e76`.

    Returns:
        float, from 0 (equal); about 1 is just noticed. Lower is better.

    Source:
        Sharma G., Wu W., Dalal E., "The CIEDE2000 Color-Difference Formula: Implementation Notes, Supplementary
        Test Data, and Mathematical Observations", Color Research and Application 30(1), 2005; the value of
        `skimage.color.deltaE_ciede2000`.

    Example:
        >>> round(ciede2000([[50.0, 2.6772, -79.7751]], [[50.0, 0.0, -82.7485]]), 3)
        2.042
    """
    lab_true, lab_pred = _checked(lab_true, lab_pred)
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(lab_true, -1, 0), np.moveaxis(lab_pred, -1, 0)
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - _saturation(mean_chroma))  # of a, for grays
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = np.arctan2(b1, stretch * a1), np.arctan2(b2, stretch * a2)
    gray = (c1 == 0) | (c2 == 0)
    dh, mean_h = _hues(h1, h2, gray)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(mean_h - np.radians(30))
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.radians(6))
        - 0.20 * np.cos(4 * mean_h - np.radians(63))
    )
    from_50 = np.square(mean_l - 50)
    dl = (l2 - l1) / (1 + 0.015 * from_50 / np.sqrt(20 + from_50))
    dc = (c2 - c1) / (1 + 0.045 * mean_c)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2) / (1 + 0.015 * mean_c * t)
    turn = np.radians(60) * np.exp(-np.square((np.degrees(mean_h) - 275) / 25))
    rotation = -2 * _saturation(mean_c) * np.sin(turn)  # of blues
    squares = dl * dl + dc * dc + dh * dh + rotation * dc * dh
    return float(np.sqrt(np.maximum(squares, 0)).mean(dtype=np.float64))


def _saturation(chroma):
    """sqrt(C^7 / (C^7 + 25^7)), in the order that float32 can bear."""
    power = (chroma / np.float32(25)) ** 7
    return np.sqrt(power / (power + 1))


def _hues(h1, h2, gray):
    """Difference of the hues, in [-pi, pi], and their mean, in [0, 2 pi); gray has no hue and takes the other's."""
    turn = np.float32(2 * np.pi)
    h1, h2 = h1 % turn, h2 % turn
    dh = h2 - h1
    far = np.abs(dh) > np.pi
    mean = (h1 + h2) / 2
    mean = np.where(far, np.where(h1 + h2 < turn, mean + np.pi, mean - np.pi), mean)
    dh = np.where(far, dh - np.sign(dh) * turn, dh)
    return np.where(gray, 0, dh), np.where(gray, h1 + h2, mean)


def _checked(lab_true, lab_pred):
    lab_true, lab_pred = np.asarray(lab_true, np.float32), np.asarray(lab_pred, np.float32)
    if lab_true.shape != lab_pred.shape or lab_true.shape[-1:] != (3,) or not lab_true.size:
        raise ImageError(
            "Both pictures must be Lab of one shape (..., 3), with pixels in it. "
            f"Received: lab_true.shape={lab_true.shape}, lab_pred.shape={lab_pred.shape}."
        )
    if not (np.isfinite(lab_true).all() and np.isfinite(lab_pred).all()):
        raise ImageError("A Lab picture holds NaN or infinite values; the model that predicted it has diverged.")
    return lab_true, lab_pred
