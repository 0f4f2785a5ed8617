# The values in test_two_factors.py: lme4 1.1-31 on two_factors.csv. Rscript two_factors.R
suppressMessages(library(lme4))
options(digits = 12)
show <- function(fit) {
  print(formula(fit)); print(fixef(fit)); print(sqrt(diag(as.matrix(vcov(fit)))))
  print(getME(fit, "theta")); print(deviance(fit, REML = FALSE)); print(REMLcrit(fit))
}
d <- read.csv("two_factors.csv")
print(anova(lmer(y ~ offset(x) + (1 | g), d), lmer(y ~ x + (1 | g), d)))
without_a <- subset(d, f1 != "a")
show(lmer(y ~ x + f1 + (1 | g), without_a))
show(lmer(y ~ x + (0 + f1 | g), without_a))
show(lmer(log(abs(y) + 1) ~ x + (1 | g), d))
show(lmer(y / 2 ~ x + (1 | g), d))
d$b <- c(0.5, 100000, 123456)[1 + seq_len(nrow(d)) %% 3]
show(lmer(y ~ factor(b) + (1 | g), d))
names(d)[2] <- "f1b"
show(lmer(y ~ f1b + f1 + (1 | g), d))
show(fit <- lmer(log(Reaction) ~ Days + (Days | Subject), sleepstudy))
print(predict(fit, data.frame(Days = 9, Subject = "308")))
