# Likelihood ratio tests by lme4, as JSON: Rscript anova.R > anova.json
suppressMessages(library(lme4))
m0 <- lmer(Reaction ~ 1 + (1 | Subject), sleepstudy)
m1 <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
m2 <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
rows <- function(a) {
  f <- function(x) paste0("[", paste(ifelse(is.na(x), "null", sprintf("%.15g", x)), collapse = ", "), "]")
  paste0("{\"npar\": ", f(a$npar), ", \"AIC\": ", f(a$AIC), ", \"BIC\": ", f(a$BIC), ", \"logLik\": ", f(a$logLik),
         ", \"deviance\": ", f(a$deviance), ", \"Chisq\": ", f(a$Chisq), ", \"Df\": ", f(a$Df), ", \"p_value\": ", f(a[["Pr(>Chisq)"]]), "}")
}
cat("{\"ml\": ", rows(suppressMessages(anova(m0, m1, m2))), ",\n \"reml\": ", rows(anova(m1, m2, refit = FALSE)), "}\n", sep = "")
