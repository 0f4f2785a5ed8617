# Makes contrasts.json, beside this file: linear combinations of coefficients by lmerTest.
# Rscript tests/contrasts.R, from the top of the repository.
# R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2.
suppressMessages({ library(lmerTest); library(jsonlite) })

unbalanced <- read.csv("tests/reference/sim_unbalanced.csv")
tight <- lmerControl(optimizer = "bobyqa", calc.derivs = FALSE,
                     optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
cases <- list(
  list(frame = "sleepstudy", data = sleepstudy,
       formula = "Reaction ~ Days + (1 + Days | Subject)", text = "(Intercept) + 7 * Days", L = c(1, 7)),
  list(frame = "sim_unbalanced", data = unbalanced,
       formula = "y ~ x * a + (1 + x | unit)", text = "x + x:a / 2", L = c(0, 1, 0, 0.5)),
  list(frame = "sim_unbalanced", data = unbalanced,
       formula = "y ~ x + a + (1 | unit)", text = "a - x", L = c(0, -1, 1)))
results <- lapply(cases, function(case) {
  fit <- lmer(as.formula(case$formula), case$data, control = tight)
  one <- function(ddf) {
    found <- contest1D(fit, case$L, ddf = ddf, confint = TRUE)
    list(estimate = found$Estimate, se = found$`Std. Error`, df = found$df,
         lower = found$lower, upper = found$upper)
  }
  list(frame = case$frame, formula = case$formula, text = case$text,
       satterthwaite = one("Satterthwaite"), `kenward-roger` = one("Kenward-Roger"))
})
write(toJSON(results, digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/contrasts.json")
