"""The rows of tools/bench/compare as an SVG: requests a second and p99, side by side."""

WIDTH, BAR, GAP, LEFT, TOP = 860, 18, 26, 150, 60
HALF = 300
COLOURS = {"dim-thread": "#2a6fbb", "dim-process": "#6aa5dd", "floor": "#8a8a8a",
           "fastapi": "#d08a3e"}


def text(x, y, words, size=12, anchor="start", colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}">{words}</text>')


def bars(rows, key, left, unit):
    """One column of bars: those of each number of connections have a scale of their own."""
    parts, y = [], TOP
    for connections in sorted({row["connections"] for row in rows}):
        group = [row for row in rows if row["connections"] == connections]
        most = max(row[key] for row in group) or 1
        if left == LEFT:
            words = "connection" if connections == 1 else "connections"
            parts.append(text(12, y - 6, f"{connections} {words}", 13))
        for row in group:
            length = HALF * 0.72 * row[key] / most
            if left == LEFT:
                parts.append(text(LEFT - 10, y + BAR - 5, row["name"], 12, "end"))
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{BAR - 4}" '
                         f'fill="{COLOURS.get(row["name"], "#444")}"/>')
            ratio = row["to_floor"] if key == "requests_per_s" else None
            beside = f" ({ratio:.2f} x floor)" if ratio is not None else ""
            parts.append(text(left + length + 6, y + BAR - 6, f"{row[key]:,.0f}{unit}{beside}", 11))
            y += BAR
        y += GAP
    return parts, y


def draw(rows):
    """The picture's text."""
    rates, height = bars(rows, "requests_per_s", LEFT, "")
    tails, _ = bars(rows, "p99_us", LEFT + HALF + 60, " us")
    head = [text(LEFT, 24, "requests a second", 15), text(LEFT + HALF + 60, 24, "p99", 15)]
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
                      f'height="{height}" font-family="sans-serif">',
                      f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
                      *head, *rates, *tails, "</svg>", ""])
