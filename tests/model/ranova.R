# Tests of random terms by lmerTest, of coefficients by lme4, as JSON: Rscript ranova.R > ranova.json
suppressMessages({library(lmerTest); library(jsonlite)})
made <- read.csv("../reference/sim_unbalanced.csv")
machines <- as.data.frame(nlme::Machines)
data <- list(sleepstudy = lme4::sleepstudy, made = made, machines = machines)
exact <- lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
                     optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5))
ranovas <- list(
  list("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
  list("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
  list("sleepstudy", "Reaction ~ Days + (1 | Subject)"),
  list("made", "y ~ x * a + (1 + x | unit)"),
  list("made", "y ~ x + a + (1 + x || unit)"),
  list("machines", "score ~ Machine + (Machine | Worker)"),
  list("machines", "score ~ Machine + (1 | Worker)")
)
random <- unlist(lapply(ranovas, function(case) lapply(c(TRUE, FALSE), function(reml) {
  frame <- data[[case[[1]]]]
  fit <- suppressWarnings(lmer(as.formula(case[[2]]), frame, REML = reml, control = exact))
  table <- as.data.frame(suppressWarnings(ranova(fit)))
  list(frame = case[[1]], formula = case[[2]], reml = reml, npar = table$npar,
       logLik = table$logLik, AIC = table$AIC, LRT = table$LRT[-1], Df = table$Df[-1],
       p_value = table[["Pr(>Chisq)"]][-1])
})), recursive = FALSE)
anovas <- list(
  list("sleepstudy", "Reaction ~ Days + (Days | Subject)", "Reaction ~ 1 + (Days | Subject)"),
  list("made", "y ~ x * a + (1 + x | unit)", "y ~ x + a + (1 + x | unit)"),
  list("made", "y ~ x * a + (1 + x | unit)", "y ~ a + (1 | unit)"),
  list("machines", "score ~ Machine + (1 | Worker)", "score ~ 1 + (1 | Worker)")
)
fixed <- lapply(anovas, function(case) {
  frame <- data[[case[[1]]]]
  fits <- suppressWarnings(lapply(case[-1], function(f) lmer(as.formula(f), frame, REML = FALSE, control = exact)))
  table <- anova(fits[[1]], fits[[2]], refit = FALSE)
  list(frame = case[[1]], formula = case[[2]], smaller = case[[3]], Chisq = table$Chisq[2],
       Df = table$Df[2], p_value = table[["Pr(>Chisq)"]][2])
})
cat(toJSON(list(ranova = random, anova = fixed), auto_unbox = TRUE, digits = NA))
