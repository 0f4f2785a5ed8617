# lme4's criteria, by its default optimizer and by the best of all that it has.
#
#   Rscript optimum.R data.csv models.csv answer.csv
#
# The data hold data sets below each other, numbered from 0 in column "set"; the models are a row
# per data set: formula, reml. Without lme4 no answer is written.

if (!requireNamespace("lme4", quietly = TRUE)) quit()
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
data <- read.csv(arguments[1])
models <- read.csv(arguments[2])

tight <- list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5)
controls <- list(
  lmerControl(),
  lmerControl(calc.derivs = FALSE, optCtrl = tight),
  lmerControl(calc.derivs = FALSE, optimizer = "bobyqa",
              optCtrl = list(rhoend = 1e-9, maxfun = 1e5)),
  lmerControl(calc.derivs = FALSE, optimizer = "Nelder_Mead",
              optCtrl = list(maxfun = 1e5, FtolAbs = 1e-12, FtolRel = 1e-15, XtolRel = 1e-12)),
  lmerControl(calc.derivs = FALSE, optimizer = "nlminbwrap"))

quiet <- function(x) suppressWarnings(suppressMessages(x))

criterion <- function(formula, rows, reml, control) {
  fit <- tryCatch(quiet(lmer(formula, rows, REML = reml, control = control)),
                  error = function(e) NULL)
  if (is.null(fit)) return(c(Inf, 1))
  c(-2 * as.numeric(logLik(fit)), length(fit@optinfo$conv$lme4$code) > 0)
}

answers <- lapply(split(data, data$set), function(rows) {
  k <- rows$set[1] + 1
  found <- sapply(controls, criterion, formula = as.formula(models$formula[k]), rows = rows,
                  reml = as.logical(models$reml[k]))
  data.frame(default = found[1, 1], best = min(found[1, ]), warned = found[2, 1])
})
answer <- do.call(rbind, answers)
answer[] <- lapply(answer, function(x) formatC(x, digits = 17, format = "g"))
write.csv(answer, arguments[3], row.names = FALSE, quote = FALSE)
