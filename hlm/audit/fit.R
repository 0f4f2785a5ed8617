# Fit every model to every data set with lme4: Rscript fit.R DATA MODELS ANSWER, all CSV.
suppressPackageStartupMessages(library(lme4))

arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1], check.names = FALSE)
models <- read.csv(arguments[2], check.names = FALSE)

fit_one <- function(rows, formula, reml) {
  warned <- character()
  fit <- tryCatch(
    withCallingHandlers(
      lmer(as.formula(formula), rows, REML = reml),
      warning = function(w) {
        warned <<- c(warned, conditionMessage(w))
        invokeRestart("muffleWarning")
      },
      message = function(m) invokeRestart("muffleMessage")
    ),
    error = function(e) conditionMessage(e)
  )
  list(fit = fit, warned = warned)
}

# One row for each number: kind, name, value.
numbers_of <- function(fit, reml) {
  beta <- fixef(fit)
  theta <- getME(fit, "theta")
  list(
    kind = c(rep("coef", length(beta)), rep("se", length(beta)), rep("theta", length(theta)),
             "criterion", "singular"),
    name = c(names(beta), names(beta), seq_along(theta), "", ""),
    value = sprintf("%.17g", c(beta, sqrt(diag(as.matrix(vcov(fit)))), theta,
                               if (reml) REMLcrit(fit) else deviance(fit), isSingular(fit)))
  )
}

answers <- list()
for (rows in split(data, data[[".set"]])) {
  for (k in seq_len(nrow(models))) {
    reml <- models$method[k] == "reml"
    started <- proc.time()[["elapsed"]]
    made <- fit_one(rows, models$formula[k], reml)
    seconds <- proc.time()[["elapsed"]] - started
    found <- if (is.character(made$fit)) {
      list(kind = "error", name = "", value = made$fit)
    } else {
      numbers_of(made$fit, reml)
    }
    answers[[length(answers) + 1]] <- data.frame(
      set = rows[[".set"]][1], model = models$model[k], method = models$method[k],
      kind = c(found$kind, "seconds", rep("warning", length(made$warned))),
      name = c(found$name, rep("", 1 + length(made$warned))),
      value = gsub("[\r\n]+", " ", c(found$value, sprintf("%.3f", seconds), made$warned))
    )
  }
}
write.csv(do.call(rbind, answers), arguments[3], row.names = FALSE)
