"""Times that people read."""


def format_duration(seconds):
    """Seconds as a short text: two units at most.

    Args:
        seconds: float, not negative.

    Example:
        >>> [format_duration(seconds) for seconds in (0.3, 75, 3660, 190_000)]
        ['0.3 s', '1 min 15 s', '1 h 1 min', '2 d 4 h']
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
