"""The executive dashboard: one page over the views that ``components/dashboard`` makes, run by Streamlit in Snowflake.

Every figure is one that a view gives; here they are only chosen by month, put into words and drawn. The session's own
schema is that of the views, so that they are named without it. docs/dashboard.md says what each figure means.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st
from snowflake.connector.errors import Error

# Texts that stand by themselves would be shown: Streamlit writes out what a line evaluates to.
SECONDS_KEPT: Final = 600  # how long an answer is shown again before Snowflake is asked anew

FIGURES: Final = """
SELECT MONTH, FIGURE, TITLE, UNIT, DEFINITION, LOWER_IS_BETTER, VALUE, CHANGE, TARGET, ON_TARGET
FROM FIGURES ORDER BY MONTH DESC, POSITION
"""
REVENUE: Final = "SELECT MONTH, PAYMENTS, COLLECTIONS, OPERATORS, UNPRICED FROM MONTHLY_REVENUE ORDER BY MONTH"
OPERATORS: Final = """
SELECT MONTH, PLACE, OPERATOR_ID, REVENUE, RECURRING_REVENUE, SHARE
FROM OPERATOR_REVENUE WHERE PLACE <= 10 ORDER BY MONTH, PLACE
"""
MARKET: Final = """
SELECT MONTH, UNITS, MARKET_UNITS, MARKET_AS_OF, MARKET_SOURCE, SHARE FROM MARKET_SHARE ORDER BY MONTH
"""
CHANNELS: Final = (
    "SELECT MONTH, CHANNEL, SPEND, CUSTOMERS, COST FROM ACQUISITION_COST ORDER BY MONTH, SPEND DESC, CHANNEL"
)
FRESHNESS: Final = "SELECT SOURCE, RECORDS, NEWEST, AGE_DAYS, WITHIN_DAYS, FRESH FROM FRESHNESS ORDER BY SOURCE"

NOTHING: Final = "none"


def asked(query: str) -> pd.DataFrame:
    """The rows of a view. MONTH becomes the text that a reader chooses by."""
    rows = st.connection("snowflake").query(query, ttl=SECONDS_KEPT, show_spinner=False)
    if "MONTH" in rows:
        rows["MONTH"] = pd.to_datetime(rows["MONTH"]).dt.strftime("%Y-%m")
    return rows


def told(value: Any, unit: str) -> str:
    """A figure in words: ``12,345 USD``, ``1.23 %``."""
    if pd.isna(value):
        return NOTHING
    return f"{100 * value:,.2f} %" if unit == "SHARE" else f"{value:,.0f} {unit}"


def changed(value: Any, unit: str) -> str | None:
    """A change with its sign, as `st.metric` wants it."""
    if pd.isna(value):
        return None
    return f"{100 * value:+,.2f} points" if unit == "SHARE" else f"{value:+,.0f} {unit}"


def counted(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{value:,.0f}"


def show_figures(figures: pd.DataFrame) -> None:
    """One card each, with what changed since the month before, the target and whether it was reached."""
    for place, (_, row) in zip(st.columns(len(figures)), figures.iterrows(), strict=True):
        with place:
            st.metric(
                row.TITLE,
                told(row.VALUE, row.UNIT),
                changed(row.CHANGE, row.UNIT),
                delta_color="inverse" if row.LOWER_IS_BETTER else "normal",
                help=row.DEFINITION,
                border=True,
            )
            if pd.isna(row.TARGET):
                st.caption("No target is set.")
            elif pd.isna(row.ON_TARGET):
                st.caption(f"Target {told(row.TARGET, row.UNIT)}: nothing to compare.")
            else:
                st.caption(f"Target {told(row.TARGET, row.UNIT)}: {'reached' if row.ON_TARGET else 'missed'}.")


def show_revenue(month: str, currency: str) -> None:
    st.header("Revenue", anchor=False)
    revenue = asked(REVENUE)
    by_service = revenue.rename(columns={"PAYMENTS": "Payments", "COLLECTIONS": "Collections", "MONTH": "Month"})
    by_service = by_service.set_index("Month")[["Payments", "Collections"]].astype(float)
    st.bar_chart(by_service, y_label=currency, color=["#0b5fff", "#10182b"])
    st.caption("A month that is not over is shown as far as it has come.")
    of_month = revenue[revenue["MONTH"] == month]
    for _, row in of_month.iterrows():
        st.write(f"{counted(row.OPERATORS)} operators in {month}.")
        if row.UNPRICED:
            st.warning(f"{counted(row.UNPRICED)} payments and collections of {month} have no fee: they count as 0.")
    operators = asked(OPERATORS)
    operators = operators[operators["MONTH"] == month]
    if len(operators):
        shown = pd.DataFrame(
            {
                "Operator": operators["OPERATOR_ID"],
                "Revenue": [told(value, currency) for value in operators["REVENUE"]],
                "Recurring": [told(value, currency) for value in operators["RECURRING_REVENUE"]],
                "Share": [told(value, "SHARE") for value in operators["SHARE"]],
            }
        )
        st.caption(f"The ten largest operators in {month}")
        st.table(shown.set_index("Operator"))


def show_market(month: str) -> None:
    st.header("Market share", anchor=False)
    market = asked(MARKET)
    st.line_chart(
        (market.set_index("MONTH")[["SHARE"]].astype(float) * 100).rename_axis("Month"), y_label="% of the market"
    )
    for _, row in market[market["MONTH"] == month].iterrows():
        st.write(
            f"{counted(row.UNITS)} apartments of customers in {month}, of {counted(row.MARKET_UNITS)} "
            f"in the market as of {NOTHING if pd.isna(row.MARKET_AS_OF) else row.MARKET_AS_OF}"
            f"{'' if pd.isna(row.MARKET_SOURCE) else f' ({row.MARKET_SOURCE})'}."
        )


def show_channels(month: str, currency: str) -> None:
    st.header("Acquisition cost", anchor=False)
    channels = asked(CHANNELS)
    channels = channels[channels["MONTH"] == month]
    if not len(channels):
        st.write(f"Nothing was spent and nobody was won in {month}.")
        return
    shown = pd.DataFrame(
        {
            "Channel": [channel.replace("_", " ").capitalize() for channel in channels["CHANNEL"]],
            "Spent": [told(value, currency) for value in channels["SPEND"]],
            "New customers": [counted(value) for value in channels["CUSTOMERS"]],
            "Cost of one": [told(value, currency) for value in channels["COST"]],
        }
    )
    st.caption(f"By channel in {month}")
    st.table(shown.set_index("Channel"))


def show_late() -> None:
    """What is older than it may be; what has no rows at all is seen in the list of sources."""
    sources = asked(FRESHNESS)
    late = sources[(~sources["FRESH"].astype(bool)) & (sources["RECORDS"] > 0)]
    for _, row in late.iterrows():
        st.warning(f"{row.SOURCE}: the newest is {counted(row.AGE_DAYS)} days old, {row.WITHIN_DAYS} are allowed.")


def show_sources() -> None:
    sources = asked(FRESHNESS)
    st.header("Where this comes from", anchor=False)
    shown = pd.DataFrame(
        {
            "Source": sources["SOURCE"],
            "Records": [counted(value) for value in sources["RECORDS"]],
            "Newest": [NOTHING if pd.isna(value) else str(value) for value in sources["NEWEST"]],
        }
    )
    st.table(shown.set_index("Source"))


def page() -> None:
    st.title("Executive dashboard", anchor=False)
    figures = asked(FIGURES)
    if figures.empty:
        st.info(
            "There are no data yet: no month is over for which a payment, a collection, an apartment, a cost or a deal is "
            "known. The sources below say what has come."
        )
        show_sources()
        return
    month = st.selectbox("Month", list(dict.fromkeys(figures["MONTH"])))
    of_month = figures[figures["MONTH"] == month]
    show_figures(of_month)
    show_late()
    currency = next((unit for unit in figures["UNIT"] if unit != "SHARE"), "")
    there = set(figures["FIGURE"])
    if "recurring_revenue" in there:
        show_revenue(month, currency)
    if "market_share" in there:
        show_market(month)
    if "acquisition_cost" in there:
        show_channels(month, currency)
    show_sources()
    st.header("What the figures mean", anchor=False)
    for _, row in of_month.iterrows():
        st.markdown(f"**{row.TITLE}.** {row.DEFINITION}")


st.set_page_config(page_title="Executive dashboard", layout="wide")
try:
    page()
except Error as error:
    st.error(
        f"The figures cannot be read. Snowflake said: {error.msg}\n\n"
        "Try again in a minute. If it stays, tell the platform team: `sophia health` says what is wrong."
    )
