-- How the score is: one row, or none while no company has one.
SELECT
  COUNT(*) AS LISTED, COUNT(COMPANY_ID) AS KNOWN,
  DATEDIFF(MINUTE, MAX(SCORED_AT), CURRENT_TIMESTAMP()) AS AGE_MINUTES
FROM {tables.opportunities}
HAVING COUNT(*) > 0
