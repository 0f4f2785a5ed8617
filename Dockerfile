# The program with the exact versions of requirements.lock, but for what only developers need.
#
#     docker build --tag hlm .
#     docker run --rm --volume "$PWD:/studies" hlm run study.yaml
#
# For jobs of Snakemake in containers, `hlm run study.yaml -- --sdm apptainer` looks for the image
# in the folder of results:
#
#     apptainer build results/hlm.sif docker-daemon://hlm:latest

FROM python:3.13-slim

COPY . /source
RUN sed '/^ *--hash/d; s/ *\\$//' /source/requirements.lock > /versions \
    && pip install --no-cache-dir --constraint /versions '/source[cluster]' \
    && rm -r /source /versions

WORKDIR /studies
ENTRYPOINT ["hlm"]
CMD ["--help"]
