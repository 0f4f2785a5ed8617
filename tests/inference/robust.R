# Makes robust.json, beside this file: CR2, Satterthwaite's df of it and HTZ tests by clubSandwich.
# Rscript tests/inference/robust.R, from the top of the repository.
# R 4.2.2, lme4 1.1-31, clubSandwich 0.5.8.
suppressMessages({ library(lme4); library(clubSandwich); library(jsonlite) })

frames <- list(sleepstudy = sleepstudy)
for (name in c("orthodont", "sim_unbalanced", "sim_singular", "sim_tiny"))
  frames[[name]] <- read.csv(file.path("tests/reference", paste0(name, ".csv")))

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

models <- list(
  list("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)"),
  list("orthodont", "distance ~ age * Sex + (1 + age | Subject)"),
  list("sim_unbalanced", "y ~ x + a + (1 | unit)"),
  list("sim_unbalanced", "y ~ x * a + (1 + x | unit)"),
  list("sim_singular", "y ~ x * a + (1 + x | unit)"),
  list("sim_singular", "y ~ x * a + (1 | unit)"),
  list("sim_tiny", "y ~ x + a + (1 | unit)"))

found <- list()
for (model in models) for (reml in c(TRUE, FALSE)) {
  fit <- best(as.formula(model[[2]]), frames[[model[[1]]]], reml)
  vcov <- vcovCR(fit, type = "CR2")
  t <- coef_test(fit, vcov = vcov, test = "Satterthwaite")
  p <- length(fixef(fit))
  tests <- list()
  for (places in unique(list(1:p, 2:p, (p - 1):p))) {
    w <- Wald_test(fit, constraints = constrain_zero(places), vcov = vcov, test = "HTZ")
    tests <- c(tests, list(list(coefs = I(places - 1), F = w$Fstat, df = w$df_num,
                                ddf = w$df_denom, p = w$p_val)))
  }
  found <- c(found, list(list(data = model[[1]], formula = model[[2]], reml = reml,
    singular = isSingular(fit), criterion = -2 * as.numeric(logLik(fit)),
    vcov = as.matrix(vcov)[, ], df = t$df_Satt, tests = tests)))
}
write_json(found, "tests/inference/robust.json", digits = I(14), auto_unbox = TRUE, pretty = 1)
