/* A comparison as rows and as SQL: both say the same, to the last digit (a test holds them equal). */
(() => {
  "use strict";
  const g = gongkai;
  const quoted = (text) => `'${String(text).replace(/'/g, "''")}'`;

  /* choice: {m: measure, kind: metric|indicator, indicator, applicant, from, to, scope, within: [codes or heads of codes], min} */
  const within = (choice) => {
    const whole = choice.within.filter((c) => c.length === 6), heads = choice.within.filter((c) => c.length < 6);
    const parts = heads.map((c) => `starts_with(district_code, ${quoted(c)})`);
    if (whole.length) parts.push(`district_code IN (${whole.map(quoted).join(", ")})`);
    return parts.length ? [parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0]] : [];
  };
  const conditions = (choice) => [
    choice.from === choice.to ? `year = ${choice.from}` : `year BETWEEN ${choice.from} AND ${choice.to}`,
    `scope = ${quoted(choice.scope)}`, ...within(choice)];

  g.sql = (choice) => (choice.kind === "metric" ? metricSql(choice) : figureSql(choice));
  function metricSql(choice) {
    return `SELECT
    CASE WHEN ranked THEN rank() OVER (PARTITION BY year, ranked ORDER BY value DESC) END AS rank,
    year, district_code, district, publisher_id, publisher, scope, metric, value, numerator, n, low, high, reason, report_id
FROM (
    SELECT * REPLACE (round(value, 6)::DECIMAL(18, 6) AS value, round(low, 6)::DECIMAL(18, 6) AS low, round(high, 6)::DECIMAL(18, 6) AS high),
        value IS NOT NULL AND coalesce(n >= ${choice.min}, true) AS ranked
    FROM metric
    WHERE metric = ${quoted(choice.m)} AND ${conditions(choice).join(" AND ")}
)
ORDER BY year, rank NULLS LAST, district_code, publisher_id;`;
  }
  function figureSql(choice) {
    const applicant = choice.applicant ? ` AND applicant = ${quoted(choice.applicant)}` : "";
    return `SELECT
    CASE WHEN value IS NOT NULL THEN rank() OVER (PARTITION BY year, value IS NOT NULL ORDER BY value DESC) END AS rank,
    year, district_code, district, publisher_id, publisher, scope, indicator, applicant, value, unit, value_status, report_id
FROM panel
WHERE indicator = ${quoted(choice.indicator)}${applicant} AND ${conditions(choice).join(" AND ")}
ORDER BY year, rank NULLS LAST, district_code, publisher_id;`;
  }
  g.columns = (choice) => choice.kind === "metric"
    ? ["rank", "year", "district_code", "district", "publisher_id", "publisher", "scope", "metric", "value", "numerator", "n", "low", "high", "reason", "report_id"]
    : ["rank", "year", "district_code", "district", "publisher_id", "publisher", "scope", "indicator", "applicant", "value", "unit", "value_status", "report_id"];

  /* The rows of the SQL, from the data files. */
  g.rows = async (choice, codes, districts, index) => {
    const publishers = await g.get("publishers");
    const measure = choice.kind === "metric" ? choice.m : choice.applicant ? `${choice.indicator}.${choice.applicant}` : choice.indicator;
    const years = (index.measures[measure] || []).filter((y) => y >= choice.from && y <= choice.to);
    const found = await Promise.all(years.map(async (year) => {
      const [places, data] = await Promise.all([g.get(`compare/reports-${year}`), g.get(`compare/${measure}/${year}`)]);
      return yearRows(choice, year, places, data, publishers, codes, districts);
    }));
    return found.flat();
  };
  function yearRows(choice, year, places, data, publishers, codes, districts) {
    const heads = choice.within.filter((c) => c.length < 6), whole = new Set(choice.within.filter((c) => c.length === 6));
    const inside = (code) => !choice.within.length || whole.has(code) || heads.some((head) => code.startsWith(head));
    const reasons = spread(data.reason), cautions = spread(data.caution);
    const status = { b: "blank", n: "not_applicable", u: "unreadable" };
    const rows = [];
    places.forEach(([place, scope, report, own], i) => {
      const [publisher, name, district] = place < 0 ? own : publishers[place];
      if (scope !== choice.scope || !inside(district)) return;
      const value = data.value[i];
      const row = { year, district_code: district, district: districts.names[district]?.[0] ?? null, publisher_id: publisher, publisher: name, scope, value,
        report_id: report.startsWith("-") ? `${publisher}-${year}${report}` : report };
      if (choice.kind === "metric") {
        const reason = reasons.get(i) ?? null;
        if (value === null && reason === null) return;
        Object.assign(row, { metric: choice.m, reason, caution: cautions.get(i) ?? null });
        for (const key of ["numerator", "n", "low", "high"]) row[key] = data[key]?.[i] ?? null;
        row.ranked = value !== null && (row.n === null || row.n >= choice.min);
      } else {
        const gap = data.gaps[i];
        if (value === null && !gap) return;
        const unit = codes.indicators.find((x) => x.id === choice.indicator).unit;
        Object.assign(row, { indicator: choice.indicator, applicant: choice.applicant || null, unit: data.units[i] ?? unit, value_status: gap ? status[gap] : "reported", ranked: value !== null });
      }
      rows.push(row);
    });
    return ranked(rows);
  }
  function spread(texts) {
    return new Map(Object.entries(texts || {}).flatMap(([text, places]) => places.map((i) => [i, text])));
  }
  const byCode = (a, b) => (a.district_code < b.district_code ? -1 : a.district_code > b.district_code ? 1 : a.publisher_id < b.publisher_id ? -1 : a.publisher_id > b.publisher_id ? 1 : 0);
  function ranked(rows) {
    const inRank = rows.filter((r) => r.ranked).sort((a, b) => b.value - a.value || byCode(a, b));
    inRank.forEach((r, i) => { r.rank = i && inRank[i - 1].value === r.value ? inRank[i - 1].rank : i + 1; });
    return [...inRank, ...rows.filter((r) => !r.ranked).map((r) => ({ ...r, rank: null })).sort(byCode)];
  }

  /* As `gongkai sql --format csv` writes it, after a byte order mark, without which Excel takes Chinese for something else. */
  g.csv = (choice, rows) => {
    const columns = g.columns(choice);
    const field = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    };
    return [columns, ...rows.map((row) => columns.map((c) => row[c]))].map((line) => line.map(field).join(",") + "\n").join("");
  };
})();
