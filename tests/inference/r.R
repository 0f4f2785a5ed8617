# Makes r.json, beside this file: F tests by lmerTest and pbkrtest, between-within df by nlme.
# Rscript tests/inference/r.R, from the top of the repository.
# R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, nlme 3.1-162.
# tests/model/frames.py makes the same data frames.
suppressMessages({
  library(lme4); library(lmerTest); library(pbkrtest); library(nlme, exclude = "lmList")
  library(jsonlite)
})

d <- read.csv("tests/reference/sim_unbalanced.csv")
k <- seq_len(nrow(d)) - 1
d$w <- 1 + k %% 3
d$f <- c("b", "a", "c")[1 + k %% 3]
d$flag <- k %% 4 == 0
machines <- as.data.frame(lapply(Machines, function(v) if (is.factor(v)) as.character(v) else v))
frames <- list(made = d, machines = machines, sleepstudy = sleepstudy,
               sim_tiny = read.csv("tests/reference/sim_tiny.csv"),
               sim_singular = read.csv("tests/reference/sim_singular.csv"))

# The better of two optimizers at tight tolerances.
best <- function(formula, data, reml) {
  controls <- list(
    lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
                optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5)),
    lmerControl(optimizer = "bobyqa", calc.derivs = FALSE,
                optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))
  fits <- suppressMessages(suppressWarnings(lapply(controls, function(control)
    do.call(lme4::lmer, list(formula, data, REML = reml, control = control)))))
  fits[[which.min(sapply(fits, function(fit) -2 * as.numeric(logLik(fit))))]]
}

rows <- function(p, places) diag(p)[places, , drop = FALSE]
tests <- list(
  list("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)", rows(2, 1:2)),
  list("sleepstudy", "Reaction ~ Days + (1 + Days || Subject)", rows(2, 1:2)),
  list("sleepstudy", "Reaction ~ Days + (1 | Subject)", rows(2, 1:2)),
  list("made", "y ~ x * f + (1 + x | unit)", rows(6, 3:4)),
  list("made", "y ~ x * f + (1 + x | unit)", rows(6, 5:6)),
  list("made", "y ~ x * f + (1 + x | unit)", rows(6, 2:6)),
  list("made", "y ~ x * a + flag + (1 + x | unit)", rbind(c(0, 1, -1, 0, 0), c(0, 1, 0, 2, 1))),
  list("made", "y ~ x * a + (1 | unit)", rows(4, 2:4)),
  list("made", "y ~ x * a + (0 + x | unit)", rows(4, c(1, 3))),
  list("machines", "score ~ Machine + (Machine | Worker)", rows(3, 2:3)),
  list("machines", "score ~ Machine + (0 + Machine | Worker)", rows(3, 1:3)),
  list("sim_tiny", "y ~ x * a + (1 + x || unit)", rows(4, c(2, 4))),
  list("sim_tiny", "y ~ x + a + (1 + x | unit)", rows(3, 1:3)),
  list("sim_singular", "y ~ x * a + (1 | unit)", rows(4, c(2, 4))),
  list("sim_singular", "y ~ x + a + (1 + x | unit)", rows(3, 2:3)))

test <- function(case, reml) {
  fit <- best(as.formula(case[[2]]), frames[[case[[1]]]], reml)
  L <- case[[3]]
  s <- contest(lmerTest::as_lmerModLmerTest(fit), L, joint = TRUE)
  out <- list(frame = case[[1]], formula = case[[2]], reml = reml, L = L,
              criterion = -2 * as.numeric(logLik(fit)),
              satterthwaite = list(F = s[["F value"]], df = s[["NumDF"]], ddf = s[["DenDF"]],
                                   p = s[["Pr(>F)"]]))
  if (reml) {
    r <- KRmodcomp(fit, L)$stats
    out$kenward_roger <- list(F = r$Fstat, df = r$ndf, ddf = r$ddf, p = r$p.value)
  }
  out
}

levels <- list(
  list("made", "unit", y ~ x * a), list("made", "unit", y ~ x + f), list("made", "unit", y ~ a),
  list("made", "unit", y ~ 1), list("made", "unit", y ~ 0 + x), list("made", "unit", y ~ 0 + f + x),
  list("made", "unit", y ~ 0 + a + x:a), list("made", "unit", y ~ 0 + a),
  list("made", "unit", y ~ x + I(a^2) + a + flag),
  list("machines", "Worker", score ~ Machine), list("machines", "Worker", score ~ 0 + Machine),
  list("sim_tiny", "unit", y ~ x * a), list("sleepstudy", "Subject", Reaction ~ Days))

level <- function(case) {
  data <- frames[[case[[1]]]]
  fit <- lme(case[[3]], data, random = as.formula(paste("~ 1 |", case[[2]])),
             control = lmeControl(returnObject = TRUE))
  list(frame = case[[1]], group = case[[2]], fixed = deparse(case[[3]]),
       df = unname(fit$fixDF$X), names = names(fit$fixDF$X))
}

out <- list(
  f_tests = unlist(lapply(tests, function(case) lapply(c(TRUE, FALSE), test, case = case)),
                   recursive = FALSE),
  between_within = lapply(levels, level))
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null", matrix = "rowmajor"),
           "tests/inference/r.json")
