-- Credentials of package indexes name the host that they are for, as git's do (0022). Those that have been used for one host alone are for that one;
-- others are sent nowhere until their value is given anew, with a host.
WITH used AS (
  SELECT credential_id, CASE
      WHEN lower(url) LIKE 'https://%' THEN regexp_replace(lower(substring(url FROM '^[a-zA-Z]+://([^/?#]+)')), ':443$', '')
      ELSE 'http://' || regexp_replace(lower(substring(url FROM '^[a-zA-Z]+://([^/?#]+)')), ':80$', '')
    END AS host
  FROM package_indexes WHERE credential_id IS NOT NULL)
UPDATE credentials c SET host = one.host
FROM (SELECT credential_id, min(host) AS host FROM used GROUP BY credential_id HAVING count(DISTINCT host) = 1) one
WHERE c.id = one.credential_id AND c.kind = 'index' AND c.host IS NULL;
