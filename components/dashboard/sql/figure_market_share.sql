SELECT MONTH, 'market_share' AS FIGURE, SHARE AS VALUE FROM {views.market-share}
