"""Set what leaves Scrapy's defaults, each with its reason, and name the components.

Options of an archive, such as the delay, have their defaults in crawler/config/options.py.
"""

import os
from importlib.metadata import version
from socket import gethostname

from crawler import urls

# Who we are.
BOT_NAME = "alsoread"  # also the product token that robots.txt rules are looked up for
SPIDER_MODULES = ["crawler.spiders"]  # where `scrapy` finds the spider
ALSOREAD_CONTACT = os.environ.get(  # where a site's owner can reach you: set your own address
    "ALSOREAD_CONTACT", f"{BOT_NAME}@{gethostname()}"
)
USER_AGENT = (  # who asks, why and whom to write to; keep its first word for robots.txt
    f"{BOT_NAME}/{version(BOT_NAME)} (archive crawler; contact: {ALSOREAD_CONTACT})"
)

# What is crawled, and where it is stored.
ALSOREAD_SCOPE = ["techidaily.com"]  # these domains and their subdomains, and nothing else
ALSOREAD_DATA = "data"  # the folder of the archive; its alsoread.toml overrides this file
ALSOREAD_CONNECT_TO = None  # for tests and demos: a loopback server that stands in for every host
ALSOREAD_RETRY_DELAYS = [10, 60]  # seconds before a failed page is retried; then an hour, growing to a week
ALSOREAD_RECRAWL = "due"  # or "all" pages that are known, or "none" that were fetched before
ALSOREAD_RETRY_FAILED = False  # also failed pages that are not due yet
ALSOREAD_HOST_FAILURES = 5  # failures in a row before a host is paused; None = never
ALSOREAD_READ_TIMEOUT = 10  # seconds of CPU time to extract one page: a thousand times the usual
ALSOREAD_PROGRESS = "none"  # "live" on a terminal, "lines" in a pipe; the command line sets it
ADDONS = {
    "crawler.config.addons.ArchiveSettings": 0,  # the options of config/options.py, by the archive's alsoread.toml
    "crawler.config.addons.ShellSettings": 50,  # `scrapy shell` opens no archive
    "crawler.config.addons.LoopbackSettings": 100,  # with ALSOREAD_CONNECT_TO set, no site has to be spared
}
SCHEDULER = "crawler.frontier.scheduler.Frontier"  # what is due comes from the catalog, which survives a kill
ITEM_PIPELINES = {
    "pipelines.normalize.Normalize": 100,  # first, so that the others see one form
    "pipelines.validate.Validate": 200,  # before anything is written
    "pipelines.store.StoreInCatalog": 300,  # the article's file, then its rows
}
EXTENSIONS = {
    "crawler.extensions.sitemaps.SitemapDiscovery": 500,  # pages that robots.txt's sitemaps name
    "crawler.extensions.errors.ErrorHandling": 500,  # an error is stored with its page; a full disk ends the run
    "crawler.extensions.limits.Limits": 500,  # a run ends at its limits, and before the disk is full
    "crawler.extensions.logs.NumberedLog": 500,  # a log is found by the number of its run
    "crawler.extensions.progress.Progress": 500,  # what a person sees while it runs
}
ALSOREAD_LEASE_SECONDS = float(  # how long a worker on a cluster that is not heard of keeps its pages
    os.environ.get("ALSOREAD_LEASE_SECONDS", "20")
)
ALSOREAD_IMAGES = {
    # What differs for `alsoread images`.
    "ALSOREAD_SCOPE": [urls.ANYWHERE],  # images lie on other hosts than the blogs
    "SCHEDULER": "scrapy.core.scheduler.Scheduler",  # what is wanted is known at the start: there is no frontier
    "ITEM_PIPELINES": {
        "pipelines.store.StoreImages": 300,  # the image's file, then its row
    },
    "EXTENSIONS": {
        "crawler.extensions.errors.ErrorHandling": 500,  # a full disk ends the run
        "crawler.extensions.limits.Limits": 500,  # so do its limits
    },
    "CONCURRENT_REQUESTS": 8,  # a stop waits for those under way, one after another where they are of one host
    "LOG_LEVEL": "ERROR",  # the catalog says what came of every image; the terminal is for the summary
}

# Politeness.
ROBOTSTXT_OBEY = True  # by downloader/robots.py: Scrapy's lets requests pass while robots.txt loads
DOWNLOAD_DELAY_JITTER = 0  # the delay is what it says; by default half of it may do
DOWNLOADER = "crawler.downloader.pace.PacedDownloader"  # ALSOREAD_RATE over all hosts, as requests are sent
AUTOTHROTTLE_ENABLED = True  # a slow host gets fewer requests
AUTOTHROTTLE_START_DELAY = 1  # the default, 5 s, would delay every new host without a cause

# Bounds on what one server may cost.
DOWNLOAD_TIMEOUT = 30  # seconds for a whole exchange; an interrupted run waits for 5 of them
DOWNLOAD_MAXSIZE = 10 * 2**20  # 16 times the largest page known; 1 GiB, the default, fills the memory
DOWNLOAD_WARNSIZE = 0  # DOWNLOAD_MAXSIZE refuses with a reason; nothing to warn of before
DNS_TIMEOUT = 20  # seconds; below DOWNLOAD_TIMEOUT, so that the error names the cause
MEMUSAGE_LIMIT_MB = 1024  # a leak ends the crawl, and not the machine
MEMUSAGE_CHECK_INTERVAL_SECONDS = 5  # memory can fill within the default, 60 s

# Connections.
TWISTED_DNS_RESOLVER = "crawler.downloader.resolver.PublicOnlyResolver"  # no name leads into our own network
DOWNLOAD_VERIFY_CERTIFICATES = True  # otherwise anybody in between could write the archive
DOWNLOAD_TLS_MIN_VERSION = "TLSv1.2"  # older versions are broken
DOWNLOAD_HANDLERS = {
    "http": "crawler.downloader.handler.HttpHandler",  # caps headers, and says in words what went wrong
    "https": "crawler.downloader.handler.HttpHandler",  # the same
    "file": None,  # no link may bring a local file into the archive
    "data": None,  # pages come from the web alone
    "ftp": None,  # the same
    "s3": None,  # the same
}

DOWNLOADER_MIDDLEWARES = {
    "crawler.downloader.middlewares.Scope": 45,  # first: nothing is done for what is out of scope
    "crawler.downloader.robots.Robots": 100,  # then: a page that is not allowed takes no turn and no slot
    "crawler.downloader.middlewares.HtmlOnly": 200,  # looks at decoded bodies
    "crawler.downloader.middlewares.Conditional": 300,  # a 304 for a page that we hold costs next to nothing
    "crawler.downloader.middlewares.WholeBody": 590,  # in the place of Scrapy's decoder
}
ALSOREAD_WORKER = {
    # What differs for a worker on a cluster: the coordinator holds the archive, its log and its limits.
    "SCHEDULER": "crawler.frontier.remote.RemoteFrontier",  # pages come from the coordinator
    "ITEM_PIPELINES": {
        "pipelines.normalize.Normalize": 100,  # the others are where the archive is
        "pipelines.store.StoreInCatalog": 300,  # into a catalog that sends items to the coordinator
    },
    "EXTENSIONS": {
        "crawler.extensions.sitemaps.SitemapDiscovery": 500,  # of the hosts that the worker has
        "crawler.extensions.errors.ErrorHandling": 500,  # an error is stored with its page
    },
    "DOWNLOADER": "crawler.downloader.pace.LeasedDownloader",  # under the rate of all workers, and with a lease
    "LOG_FILE": None,  # warnings go to the coordinator's
    "LOG_ENABLED": False,  # the same
}
# Of Scrapy's own components only those that are named here: the others would be off, and still have to be loaded.
DOWNLOADER_MIDDLEWARES_BASE = {
    # Not Retry: a failed page goes back to the catalog, and is due again later. Not Redirect and MetaRefresh: the
    # target becomes a page of its own, with its own scope, robots.txt and delay. Not HttpCompression: it passes half
    # a compressed page as a whole one. Not Cookies and HttpAuth: every page should be what a first visitor gets. Not
    # HttpProxy: a proxy from the environment would hide the address that we connect to. Not Offsite: meta keys and
    # redirects get around it.
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,  # DOWNLOAD_TIMEOUT
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,  # what is accepted
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,  # USER_AGENT
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,  # the bytes of a run
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}  # the spider settles every status; the catalog has depths
EXTENSIONS_BASE = {
    # Not TelnetConsole and RemoteControl: they listen, and run any Python that is sent to them.
    "scrapy.extensions.corestats.CoreStats": 0,  # when a run began and ended
    "scrapy.extensions.logcount.LogCount": 0,  # how many errors it logged
    "scrapy.extensions.logstats.LogStats": 0,  # its rate, a line a minute
    "scrapy.extensions.memusage.MemoryUsage": 0,  # MEMUSAGE_LIMIT_MB
    "scrapy.extensions.feedexport.FeedExporter": 0,  # `scrapy crawl -O`
    "scrapy.extensions.throttle.AutoThrottle": 0,  # AUTOTHROTTLE_ENABLED
}

CONCURRENT_ITEMS = 1  # a page gives one item; Scrapy starts this many tasks a page, 100 by default
LOG_LEVEL = "INFO"  # DEBUG, the default, says little that the catalog does not
LOG_FORMATTER = "crawler.extensions.logs.ByAddress"  # Scrapy's writes whole articles into the log
