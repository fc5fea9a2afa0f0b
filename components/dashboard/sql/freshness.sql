-- How much there is of each source, and from when the newest is. FRESH is whether that is WITHIN_DAYS, as the settings say.
WITH SOURCES AS ({settings.sources})
SELECT
  SOURCE, RECORDS, NEWEST, WITHIN_DAYS,
  DATEDIFF('DAY', NEWEST, CURRENT_DATE()) AS AGE_DAYS,
  COALESCE(DATEDIFF('DAY', NEWEST, CURRENT_DATE()) <= WITHIN_DAYS, FALSE) AS FRESH
FROM SOURCES
