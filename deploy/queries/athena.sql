-- The tables for Amazon Athena; views.sql holds the views, which DuckDB shares. Athena runs one statement at a time.
--
-- BUCKET, ACCOUNTS (the account numbers) and FIRST_DAY are put in by deploy/create-tables. Partitions are computed from these, so that no day has to be loaded. Account numbers are strings, which
-- keeps their leading zeros, and so are dates: as text they sort as they do in time. An account that is missing in
-- ACCOUNTS is in accounts_without_report, every day, and not passed over.
-- Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html

DROP TABLE IF EXISTS report_lines;

CREATE EXTERNAL TABLE report_lines (
  type string,
  rule string,
  severity string,
  status string,
  message string,
  fingerprint string,
  subject struct<kind:string,arn:string,slot:int,created_at:string>,
  facts struct<active:boolean,days_since_rotation:double>,
  inputs array<struct<generated_at:string>>
)
PARTITIONED BY (account string, `date` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://BUCKET/findings/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = 'ACCOUNTS',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = 'FIRST_DAY,NOW',
  'storage.location.template' = 's3://BUCKET/findings/account=${account}/date=${date}/'
);

DROP TABLE IF EXISTS organization_accounts;

CREATE EXTERNAL TABLE organization_accounts (
  account string,
  name string,
  state string
)
PARTITIONED BY (`date` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://BUCKET/accounts/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = 'FIRST_DAY,NOW',
  'storage.location.template' = 's3://BUCKET/accounts/date=${date}/'
);
