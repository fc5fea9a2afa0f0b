SELECT MONTH, 'recurring_revenue' AS FIGURE, RECURRING_REVENUE AS VALUE FROM {views.monthly-revenue}
