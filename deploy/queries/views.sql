-- Questions to the history, for Athena and DuckDB alike. Verdicts are stored, and no rule is written here again.
-- Only complete reports are compared: where something could not be evaluated, nothing is new and nothing is resolved.

-- What became of each account on each day for which it has a file.
CREATE OR REPLACE VIEW reports AS
SELECT
  account,
  "date",
  max(CASE WHEN type = 'run' THEN inputs[1].generated_at END) AS generated_at,
  count(CASE WHEN type = 'error' THEN 1 END) AS errors,
  coalesce(
    min(CASE WHEN type = 'error' THEN message END),
    CASE WHEN count(CASE WHEN type = 'summary' THEN 1 END) = 0 THEN 'the file was cut off' END,
    CASE WHEN max(CASE WHEN type = 'run' THEN inputs[1].generated_at END) IS NULL THEN 'AWS gave no report' END
  ) AS cause,
  count(CASE WHEN type = 'error' THEN 1 END) = 0
    AND count(CASE WHEN type = 'summary' THEN 1 END) > 0
    AND max(CASE WHEN type = 'run' THEN inputs[1].generated_at END) IS NOT NULL AS complete
FROM report_lines
GROUP BY account, "date";

-- One row for each rule and credential, passing ones included.
CREATE OR REPLACE VIEW verdicts AS
SELECT
  account,
  "date",
  rule,
  severity,
  status,
  fingerprint,
  message,
  subject.kind AS kind,
  subject.arn AS arn,
  subject.slot AS slot,
  subject.created_at AS created_at,
  facts.active AS active,
  facts.days_since_rotation AS age_days
FROM report_lines
WHERE type = 'finding';

-- Active access keys by age, day by day; `accounts` says of how many accounts a complete report is behind the number.
CREATE OR REPLACE VIEW keys_by_age AS
SELECT k."date", k.age, count(*) AS access_keys, max(c.accounts) AS accounts
FROM (
  SELECT
    account,
    "date",
    arn,
    slot,
    CASE
      WHEN max(age_days) IS NULL THEN 'unknown'
      WHEN max(age_days) <= 30 THEN '0 to 30 days'
      WHEN max(age_days) <= 90 THEN '30 to 90 days'
      WHEN max(age_days) <= 180 THEN '90 to 180 days'
      WHEN max(age_days) <= 365 THEN '180 to 365 days'
      ELSE 'over 365 days'
    END AS age
  FROM verdicts
  WHERE kind = 'access_key' AND active
  GROUP BY account, "date", arn, slot
) AS k
JOIN reports AS r ON r.account = k.account AND r."date" = k."date" AND r.complete
JOIN (SELECT "date", count(*) AS accounts FROM reports WHERE complete GROUP BY "date") AS c ON c."date" = k."date"
GROUP BY k."date", k.age;

-- Each complete report of an account with the one before it, however many days lie between them.
CREATE OR REPLACE VIEW report_pairs AS
SELECT account, "date", lag("date") OVER (PARTITION BY account ORDER BY "date") AS previous_date
FROM reports
WHERE complete;

-- What an account's report has and the one before had not (new), and the other way round (resolved). An exemption
-- resolves nothing; when it ends, the finding is new. A finding whose rule gave no verdict at all that day is not
-- resolved: the rule may have been switched off. The first report of an account has nothing new.
CREATE OR REPLACE VIEW finding_changes AS
SELECT 'new' AS change, s.account, s."date", n.rule, n.severity, n.arn, n.fingerprint, n.message
FROM report_pairs AS s
JOIN verdicts AS n ON n.account = s.account AND n."date" = s."date" AND n.status IN ('FAIL', 'UNKNOWN')
LEFT JOIN verdicts AS p
  ON p.account = s.account AND p."date" = s.previous_date
  AND p.fingerprint = n.fingerprint AND p.status IN ('FAIL', 'UNKNOWN')
WHERE s.previous_date IS NOT NULL AND p.fingerprint IS NULL
UNION ALL
SELECT 'resolved' AS change, s.account, s."date", p.rule, p.severity, p.arn, p.fingerprint, p.message
FROM report_pairs AS s
JOIN verdicts AS p ON p.account = s.account AND p."date" = s.previous_date AND p.status IN ('FAIL', 'UNKNOWN')
JOIN (SELECT DISTINCT "date", rule FROM verdicts) AS asked ON asked."date" = s."date" AND asked.rule = p.rule
LEFT JOIN verdicts AS n
  ON n.account = s.account AND n."date" = s."date" AND n.fingerprint = p.fingerprint AND n.status <> 'PASS'
WHERE n.fingerprint IS NULL;

-- Accounts of the organisation without a complete report on a day: no file, no report from AWS, or not all evaluated.
CREATE OR REPLACE VIEW accounts_without_report AS
SELECT
  coalesce(o."date", r."date") AS "date",
  coalesce(o.account, r.account) AS account,
  o.name AS name,
  o.state AS state,
  CASE WHEN r.account IS NULL THEN 'no file' ELSE r.cause END AS cause
FROM organization_accounts AS o
FULL JOIN reports AS r ON r.account = o.account AND r."date" = o."date"
WHERE r.account IS NULL OR NOT r.complete;

-- Access keys that were over their age: when a report first said so, and the first report in which that is over. `days`
-- lies between the two and is empty while the key is due; a key that was due before the history counts from its start.
CREATE OR REPLACE VIEW rotations AS
SELECT
  d.account,
  d.arn,
  d.created_at,
  d.first_due,
  min(c."date") AS rotated,
  date_diff('day', CAST(d.first_due AS date), CAST(min(c."date") AS date)) AS days
FROM (
  SELECT account, fingerprint, arn, created_at, min("date") AS first_due, max("date") AS last_due
  FROM verdicts
  WHERE rule = 'KEY_AWS_001' AND status = 'FAIL'
  GROUP BY account, fingerprint, arn, created_at
) AS d
LEFT JOIN finding_changes AS c
  ON c.change = 'resolved' AND c.account = d.account AND c.fingerprint = d.fingerprint AND c."date" > d.last_due
GROUP BY d.account, d.arn, d.created_at, d.first_due, d.fingerprint;

CREATE OR REPLACE VIEW mean_time_to_rotate AS
SELECT account, count(rotated) AS rotated, count(*) - count(rotated) AS still_due, avg(days) AS mean_days
FROM rotations
GROUP BY account;
