"""The crawler: a Scrapy project that runs as its own process (`python -m extract.crawl JOB.json`)."""
