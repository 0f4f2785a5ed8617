# Times of lme4, lmerTest and pbkrtest, taken inside R, so without its start.
#
#   Rscript bench.R sets.csv formula slow
#
# The file holds data sets below each other, told apart by its column "set". One line per engine:
# its name, seconds of processor time per data set, and for each the REML criterion at its theta.
# lmerTest and pbkrtest get the first `slow` data sets only.

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
formula <- as.formula(arguments[2])
slow <- as.integer(arguments[3])

response <- all.vars(formula)[1]
group <- tail(all.vars(formula), 1)
data[[group]] <- factor(data[[group]])
sets <- split(data, data$set)
few <- seq_len(min(slow, length(sets)))

quiet <- function(x) suppressWarnings(suppressMessages(x))
installed <- function(package) quiet(requireNamespace(package, quietly = TRUE))
digits <- function(x) formatC(x, digits = 17, format = "g")
lmer <- function(data, ...) quiet(lme4::lmer(formula, data, ...))

# refit reports a REML criterion with n - 1 for n - p (lme4 1.1-31): so lmer's own is evaluated.
criterion <- function(fit, set) lmer(set, devFunOnly = TRUE)(lme4::getME(fit, "theta"))

# The first call is not timed: R compiles functions when they are first used.
engine <- function(name, package, items, run) {
  if (!installed("lme4") || !installed(package)) {
    cat(name, "absent\n", sep = ";")
    return(NULL)
  }
  quiet(run(items[[1]]))
  gc()
  time <- system.time(results <- lapply(items, function(item) quiet(run(item))))
  seconds <- (time[["user.self"]] + time[["sys.self"]]) / length(items)
  fitted <- inherits(results[[1]], "merMod")
  criteria <- if (fitted) mapply(criterion, results, sets[seq_along(items)])
  cat(c(name, digits(c(seconds, criteria))), sep = ";")
  cat("\n")
  results
}

fits <- engine("lme4::lmer", "lme4", sets, lmer)

# refit keeps the design and starts at the model's theta: that of a response like the data's own.
restarts <- function() {
  Map(function(set, fit) {
    other <- simulate(fit, seed = 1)
    list(fit = lmer(replace(set, response, other)), y = set[[response]])
  }, sets, fits)
}
if (length(sets) > 1) {
  refits <- engine("lme4::refit", "lme4", if (installed("lme4")) restarts(), function(item) {
    lme4::refit(item$fit, item$y)
  })
}
if (slow > 0) {
  summaries <- engine("lmerTest::lmer, summary", "lmerTest", sets[few], function(set) {
    summary(lmerTest::lmer(formula, set))
  })
  adjusted <- engine("pbkrtest::vcovAdj", "pbkrtest", fits[few], pbkrtest::vcovAdj)
}
