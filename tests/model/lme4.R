# Makes lme4.json, beside this file: fits by lme4 of what only data frames can ask for.
# Rscript tests/model/lme4.R, from the top of the repository. R 4.2.2, lme4 1.1-31.
# frames.py makes the same data frames.
suppressMessages({library(lme4); library(nlme, exclude = "lmList"); library(jsonlite)})

d <- read.csv("tests/reference/sim_unbalanced.csv")
k <- seq_len(nrow(d)) - 1
d$w <- 1 + k %% 3
d$z <- sin(k)
d$f <- c("b", "a", "c")[1 + k %% 3]
d$g <- factor(d$f, levels = c("c", "a", "b"))
d$flag <- k %% 4 == 0
d$k3 <- k %% 3
d$both <- d$x + d$a
d$year <- 1990 + k %% 21
d$since <- d$year - 2000
d$small <- d$x * 1e-8
d$large <- d$a * 1e8
for (j in 1:12) d[[paste0("c", j)]] <- cos(j * k)
holes <- d
holes$y[k %% 17 == 0] <- NA
holes$x[k %% 23 == 0] <- NA
frames <- list(
  made = d, holes = holes, machines = as.data.frame(lapply(Machines, function(v)
    if (is.factor(v)) as.character(v) else v)),
  mathachieve = read.csv("hlm/datasets/mathachieve.csv.gz"))
many <- paste0("y ~ x + a + ", paste0("c", 1:12, collapse = " + "), " + (1 + x | unit)")

cases <- list(
  c("weights", "made", "y ~ x * a + (1 + x | unit)", "w"),
  c("offset", "made", "y ~ x + a + offset(2 * z) + (1 + x | unit)"),
  c("missing", "holes", "y ~ x * a + (1 + x | unit)"),
  c("text", "made", "y ~ x * f + (1 + x | unit)"),
  c("own_order", "made", "y ~ g * x + (1 | unit)"),
  c("bool", "made", "y ~ x * flag + (1 + flag | unit)"),
  c("number_as_factor", "made", "y ~ factor(k3) + x + (1 | unit)"),
  c("no_intercept", "made", "y ~ 0 + f + x + (0 + x | unit)"),
  c("square", "made", "y ~ x + I(x^2) + (1 + x | unit)"),
  c("pairs", "made", "y ~ (a + x + flag)^2 + (1 | unit)"),
  c("logarithm", "made", "y ~ log(w) + exp(x / 4) + (1 | unit)"),
  c("factor_double_bar", "machines", "score ~ Machine + (1 + Machine || Worker)"),
  c("two_bars", "made", "y ~ x * a + (1 | unit) + (0 + x | unit)"),
  c("three_effects", "machines", "score ~ Machine + (0 + Machine | Worker)"),
  c("three_effects_contrasts", "machines", "score ~ Machine + (Machine | Worker)"),
  c("many_columns", "made", many),
  c("rank_deficient", "made", "y ~ x + I(2 * x) + a + both + (1 + x | unit)"),
  c("scales", "made", "y ~ small + large + (1 + small | unit)"),
  c("year", "made", "y ~ since + (1 + since | unit)"),
  c("schools", "mathachieve", "mathach ~ ses * sector + sex + minority + (1 + sex | school)"))

best <- function(formula, data, reml, weights) {
  controls <- list(
    lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
                optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5)),
    lmerControl(optimizer = "bobyqa", calc.derivs = FALSE,
                optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))
  controls <- lapply(controls, function(control) {
    control$checkControl[c("check.scaleX", "check.nobs.vs.nRE")] <- "ignore"
    control
  })
  data$.w <- if (is.na(weights)) 1 else data[[weights]]
  fits <- suppressMessages(suppressWarnings(lapply(controls, function(control)
    lmer(formula, data, REML = reml, weights = .w, control = control))))
  fits[[which.min(sapply(fits, function(fit) -2 * as.numeric(logLik(fit))))]]
}

one <- function(case, reml) {
  data <- frames[[case[2]]]
  formula <- as.formula(case[3])
  fit <- best(formula, data, reml, case[4])
  random <- as.data.frame(VarCorr(fit), order = "lower.tri")
  rows <- head(which(complete.cases(data)), 6)
  list(
    name = case[1], frame = case[2], formula = case[3], reml = reml,
    weights = case[4], nobs = nobs(fit), coef_names = names(fixef(fit)), beta = unname(fixef(fit)),
    se = unname(sqrt(diag(as.matrix(vcov(fit))))), sdcor = random$sdcor, sigma = sigma(fit),
    criterion = -2 * as.numeric(logLik(fit)), aic = AIC(fit), bic = BIC(fit),
    deviance = -2 * as.numeric(logLik(fit, REML = FALSE)),
    dropped = as.list(names(attr(getME(fit, "X"), "col.dropped"))),
    fitted = unname(head(fitted(fit), 6)), residuals = unname(head(residuals(fit), 6)),
    rows = rows - 1, predicted = unname(predict(fit, data[rows, ])),
    population = unname(predict(fit, data[rows, ], re.form = NA)))
}

fits <- unlist(lapply(cases, function(case) lapply(c(TRUE, FALSE), one, case = case)),
               recursive = FALSE)
writeLines(toJSON(fits, auto_unbox = TRUE, digits = NA, pretty = FALSE, na = "null"),
           "tests/model/lme4.json")
