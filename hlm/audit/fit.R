# Fit every model to every data set with lme4: Rscript fit.R DATA LEVELS MODELS TESTS ANSWER, all
# CSV.
# Degrees of freedom, p-values and F tests are lmerTest's, Kenward and Roger's by pbkrtest.
suppressPackageStartupMessages(library(lme4))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1], check.names = FALSE)
levels <- read.csv(arguments[2], check.names = FALSE, colClasses = "character")
models <- read.csv(arguments[3], check.names = FALSE, colClasses = "character")
tests <- read.csv(arguments[4], check.names = FALSE, colClasses = "character")
for (name in unique(levels$column)) {
  data[[name]] <- factor(data[[name]], levels$level[levels$column == name])
}

needed <- list("Satterthwaite" = "lmerTest", "Kenward-Roger" = c("lmerTest", "pbkrtest"))
has <- function(ddf) all(vapply(needed[[ddf]], requireNamespace, NA, quietly = TRUE))

# The value of an expression, or what went wrong; with all warnings.
attempt <- function(expression) {
  warned <- character()
  value <- tryCatch(
    withCallingHandlers(
      expression,
      warning = function(w) {
        warned <<- c(warned, conditionMessage(w))
        invokeRestart("muffleWarning")
      },
      message = function(m) invokeRestart("muffleMessage")
    ),
    error = function(e) simpleError(conditionMessage(e))
  )
  list(value = value, warned = warned)
}

# Rows of the answer: kind, name, value, and the method of the degrees of freedom they rest on.
rows_of <- function(kind, name, value, ddf = "") {
  value <- if (is.numeric(value)) sprintf("%.17g", value) else as.character(value)
  data.frame(
    ddf = rep(ddf, length(value)), kind = rep(kind, length(value)), name = as.character(name),
    value = value
  )
}

numbers_of <- function(fit, reml) {
  beta <- fixef(fit)
  theta <- getME(fit, "theta")
  criterion <- if (reml) REMLcrit(fit) else deviance(fit)
  rbind(
    rows_of("coef", names(beta), beta),
    rows_of("se", names(beta), sqrt(diag(as.matrix(vcov(fit))))),
    rows_of("theta", seq_along(theta), theta),
    rows_of("criterion", "", criterion),
    rows_of("singular", "", as.numeric(isSingular(fit)))
  )
}

# lmerTest evaluates the call of the fit again: hence the same names as in the loop below.
inference_of <- function(fit, formula, rows, reml, ddf, wanted) {
  tested <- lmerTest::as_lmerModLmerTest(fit)
  table <- coef(summary(tested, ddf = ddf))
  found <- rbind(
    if (ddf == "Kenward-Roger") rows_of("adjusted", rownames(table), table[, "Std. Error"], ddf),
    rows_of("df", rownames(table), table[, "df"], ddf),
    rows_of("p", rownames(table), table[, "Pr(>|t|)"], ddf)
  )
  for (name in unique(wanted$test)) {
    L <- diag(nrow(table))[match(wanted$coef[wanted$test == name], rownames(table)), , drop = FALSE]
    joint <- lmerTest::contest(tested, L, joint = TRUE, ddf = ddf)
    found <- rbind(
      found,
      rows_of("F", name, joint[["F value"]], ddf),
      rows_of("ddf", name, joint[["DenDF"]], ddf),
      rows_of("test_p", name, joint[["Pr(>F)"]], ddf)
    )
  }
  found
}

answers <- list()
for (rows in split(data, data[[".set"]])) {
  for (k in seq_len(nrow(models))) {
    reml <- models$method[k] == "reml"
    ddfs <- Filter(has, strsplit(models$ddf[k], " ")[[1]])
    formula <- as.formula(models$formula[k])
    started <- proc.time()[["elapsed"]]
    made <- attempt(lmer(formula, rows, REML = reml))
    seconds <- proc.time()[["elapsed"]] - started
    if (inherits(made$value, "error")) {
      found <- rows_of("error", "", conditionMessage(made$value))
    } else {
      found <- numbers_of(made$value, reml)
      wanted <- tests[tests$model == models$model[k], ]
      for (ddf in ddfs) {
        more <- attempt(inference_of(made$value, formula, rows, reml, ddf, wanted))
        if (inherits(more$value, "error")) {
          made$warned <- c(made$warned, paste("no", ddf, "-", conditionMessage(more$value)))
        } else {
          found <- rbind(found, more$value)
        }
      }
    }
    found <- rbind(
      found,
      rows_of("seconds", "", sprintf("%.3f", seconds)),
      rows_of("warning", rep("", length(made$warned)), made$warned)
    )
    found$value <- gsub("[\r\n]+", " ", found$value)
    answers[[length(answers) + 1]] <- cbind(
      set = rows[[".set"]][1], model = models$model[k], method = models$method[k], found
    )
  }
}
write.csv(do.call(rbind, answers), arguments[5], row.names = FALSE)
