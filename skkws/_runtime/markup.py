"""HTML and SVG as trees: what is text in them cannot become markup."""

from xml.etree.ElementTree import Element, tostring


def element(tag, *children, **attributes):
    """Make an element.

    Parameters
    ----------
    tag : str
        Its name.
    *children : Element, str or number
        What it holds, in this order.
    **attributes : str, number or None
        Its attributes, a hyphen written as an underscore and a Python keyword with one behind it. None leaves it out.

    Returns
    -------
    element : Element
    """
    named = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    made = Element(
        tag, {key: f"{value:.2f}" if isinstance(value, float) else str(value) for key, value in named.items()}
    )
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + str(child)
        else:
            made.text = (made.text or "") + str(child)
    return made


def markup(tree):
    """Write an element as HTML."""
    return tostring(tree, encoding="unicode", method="html")


def table(caption, columns, rows, *, class_=None, hidden_caption=False):
    """Make a table in a box of its own that scrolls sideways where it is too wide.

    Parameters
    ----------
    caption : str
        What it shows.
    columns : list of str or Element
        Titles of the columns; the first one holds the titles of the rows.
    rows : list of list
        Cells; an Element ``td`` or ``th`` stays as it is.
    class_ : str or None, default=None
        Class of the table.
    hidden_caption : bool, default=False
        Leave the caption to screen readers, where a heading says the same.

    Returns
    -------
    box : Element
    """
    head = element("tr", *(c if _is_cell(c) else element("th", c, scope="col") for c in columns))
    body = [
        element(
            "tr",
            *(
                cell if _is_cell(cell) else element("td", cell) if i else element("th", cell, scope="row")
                for i, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    made = element(
        "table",
        element("caption", caption, class_="unseen" if hidden_caption else None),
        element("thead", head),
        element("tbody", *body),
        class_=class_,
    )
    return element("div", made, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _is_cell(child):
    return isinstance(child, Element) and child.tag in {"td", "th"}
